//! Pages that are open and to which nothing happens: each keeps a stream of events.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::browser::request;
use crate::fleet::controller::Controller;
use crate::table::{Table, Target};

const CLIENTS: usize = 200;
/// As many streams as one session may keep, by default.
const EACH: usize = 5;
pub(super) const SESSIONS: usize = CLIENTS / EACH;

const SETTLING: Duration = Duration::from_secs(5);
const IDLE: Duration = Duration::from_secs(30);

pub(super) fn measure(table: &mut Table, controller: &Controller, tokens: &[String]) {
    let without = share(controller);
    let streams: Vec<TcpStream> = tokens
        .iter()
        .flat_map(|token| (0..EACH).map(move |_| open(controller, token)))
        .collect();
    std::thread::sleep(SETTLING);
    let with = share(controller);
    let open = streams.iter().filter(|stream| is_open(stream)).count();
    assert_eq!(open, CLIENTS, "the controller ended streams");
    table.row(
        format!("{CLIENTS} open pages, controller, % of a processor"),
        with,
        Target::AtMost(5.0),
        format!("{without:.2} without them"),
    );
}

/// Of a processor, in percent.
fn share(controller: &Controller) -> f64 {
    let before = controller.process().processor_s();
    std::thread::sleep(IDLE);
    (controller.process().processor_s() - before) / IDLE.as_secs_f64() * 100.0
}

fn open(controller: &Controller, token: &str) -> TcpStream {
    let address = controller.address();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(&request(address, "/events", token, ""))
        .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    stream
}

/// What came meanwhile is read; the end would be read as nothing.
fn is_open(mut stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(err) => return err.kind() == std::io::ErrorKind::WouldBlock,
        }
    }
}
