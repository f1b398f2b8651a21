//! A program of the product as a process of its own: started, killed, and ended with the test in any case.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

pub(crate) struct Program {
    pub(crate) address: SocketAddr,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Program {
    /// Starts it and waits until it serves.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (found, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            for line in lines.map_while(Result::ok) {
                if let Some(address) = serving(&line) {
                    found.send(address).unwrap();
                }
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        match address.recv() {
            Ok(address) => Self {
                address,
                child,
                log: Some(log),
            },
            Err(_) => {
                let status = child.wait().unwrap();
                panic!(
                    "it ended before it served: {status}\n{}",
                    log.join().unwrap()
                );
            }
        }
    }

    /// Ends it as a failing machine would.
    pub(crate) fn kill(mut self) -> String {
        self.end()
    }

    fn end(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.log.is_some() {
            let log = self.end();
            if std::thread::panicking() {
                println!("log of the program at {}:\n{log}", self.address);
            }
        }
    }
}

/// Programs under test: named by an environment variable, or built beside these tests.
pub(crate) fn built(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return path.into();
    }
    let tests = std::env::current_exe().unwrap();
    let built = tests.ancestors().nth(2).unwrap().join(name);
    assert!(
        built.exists(),
        "{} is missing: cargo build --workspace",
        built.display()
    );
    built
}

fn serving(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listen=")?;
    let address = rest.split(' ').next()?;
    line.contains("serving").then(|| address.parse().unwrap())
}
