//! A flow of numbered packets through a tunnel and back, counted at both ends.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Far;

/// How long a packet may be under way.
const STRAGGLING: Duration = Duration::from_millis(700);
const PATIENCE: Duration = Duration::from_millis(50);

pub(crate) struct Flow {
    sending: Arc<AtomicBool>,
    receiving: Arc<AtomicBool>,
    sender: JoinHandle<Vec<Instant>>,
    node: JoinHandle<Arrivals>,
    far: JoinHandle<Arrivals>,
}

/// When the packet of each number came.
type Arrivals = BTreeMap<u64, Instant>;

/// What became of a flow: the packets by number.
pub(crate) struct Record {
    sent: Vec<Instant>,
    pub(crate) heard: Arrivals,
    pub(crate) returned: Arrivals,
}

/// The packets of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sent: usize,
    pub(crate) lost_on_the_way_there: usize,
    pub(crate) lost_on_the_way_back: usize,
}

impl Tally {
    pub(crate) fn lost(&self) -> usize {
        self.lost_on_the_way_there + self.lost_on_the_way_back
    }
}

impl Flow {
    /// Has the far end send a packet to the node every `pause`, and the node send it back.
    pub(crate) fn start(far: &Far, pause: Duration) -> Self {
        let at_node = UdpSocket::bind((far.node_v4(), 0)).unwrap();
        let address = at_node.local_addr().unwrap();
        let sending = Arc::new(AtomicBool::new(true));
        let receiving = Arc::new(AtomicBool::new(true));
        let at_far = std::thread::scope(|scope| {
            let open = || {
                far.enter();
                let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
                socket.connect(address).unwrap();
                socket
            };
            scope.spawn(open).join().unwrap()
        });
        let sender = at_far.try_clone().unwrap();
        let goes_on = Arc::clone(&sending);
        let sender = std::thread::spawn(move || send(&sender, pause, &goes_on));
        let goes_on = Arc::clone(&receiving);
        let node = std::thread::spawn(move || receive(&at_node, true, &goes_on));
        let goes_on = Arc::clone(&receiving);
        let far = std::thread::spawn(move || receive(&at_far, false, &goes_on));
        Self {
            sending,
            receiving,
            sender,
            node,
            far,
        }
    }

    pub(crate) fn stop(self) -> Record {
        self.sending.store(false, Ordering::SeqCst);
        let sent = self.sender.join().unwrap();
        std::thread::sleep(STRAGGLING);
        self.receiving.store(false, Ordering::SeqCst);
        Record {
            sent,
            heard: self.node.join().unwrap(),
            returned: self.far.join().unwrap(),
        }
    }
}

impl Record {
    /// The numbers of the packets that were sent in this time.
    pub(crate) fn sent_in(&self, time: &Range<Instant>) -> Range<u64> {
        let first = self.sent.partition_point(|at| *at < time.start);
        let end = self.sent.partition_point(|at| *at < time.end);
        first as u64..end as u64
    }

    pub(crate) fn tally(&self, time: &Range<Instant>) -> Tally {
        let numbers = self.sent_in(time);
        let heard = self.heard.range(numbers.clone()).count();
        let returned = self.returned.range(numbers.clone()).count();
        let sent = numbers.count();
        Tally {
            sent,
            lost_on_the_way_there: sent - heard,
            lost_on_the_way_back: heard - returned,
        }
    }
}

/// Keeps to a timetable, so that a pause of the machine does not thin the flow out.
fn send(socket: &UdpSocket, pause: Duration, goes_on: &AtomicBool) -> Vec<Instant> {
    let mut sent = Vec::new();
    let mut next = Instant::now();
    while goes_on.load(Ordering::SeqCst) {
        let number = (sent.len() as u64).to_be_bytes();
        sent.push(Instant::now());
        // A tunnel that was cut may say so; the packet counts as sent and not heard.
        if let Err(err) = socket.send(&number) {
            assert!(is_about_the_tunnel(&err), "{err}");
        }
        // Without bursts after a long pause: those would be lost to full buffers.
        next = (next + pause).max(Instant::now() - 20 * pause);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    sent
}

fn receive(socket: &UdpSocket, send_back: bool, goes_on: &AtomicBool) -> Arrivals {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut arrivals = Arrivals::new();
    let mut buffer = [0; 8];
    while goes_on.load(Ordering::SeqCst) {
        match socket.recv_from(&mut buffer) {
            Ok((8, from)) => {
                let number = u64::from_be_bytes(buffer);
                arrivals.entry(number).or_insert_with(Instant::now);
                if send_back {
                    answer(socket, &buffer, from);
                }
            }
            Ok((length, from)) => panic!("{length} bytes from {from}"),
            Err(err) => assert!(is_about_the_tunnel(&err), "{err}"),
        }
    }
    arrivals
}

fn answer(socket: &UdpSocket, packet: &[u8], to: SocketAddr) {
    if let Err(err) = socket.send_to(packet, to) {
        assert!(is_about_the_tunnel(&err), "{err}");
    }
}

/// Nothing came for a while, or the tunnel has no way for a packet at the moment.
fn is_about_the_tunnel(err: &std::io::Error) -> bool {
    use std::io::ErrorKind;

    let no_key = err.raw_os_error() == Some(126); // ENOKEY
    no_key
        || matches!(
            err.kind(),
            ErrorKind::WouldBlock
                | ErrorKind::TimedOut
                | ErrorKind::Interrupted
                | ErrorKind::ConnectionRefused
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkUnreachable
        )
}
