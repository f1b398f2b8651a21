//! Keeps one server running: starts it, starts it again when it dies, stops it.
//!
//! All of it happens on a thread of its own, because a program started here gets its signal when the
//! thread that started it ends. To stop is to let go of `Supervisor`; also a panic does that.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use super::DatabaseError;
use super::child::{FOLDER, command};
use super::cluster::Program;

const LOOK: Duration = Duration::from_millis(100);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server that ran this long failed anew, not again.
const STEADY: Duration = Duration::from_secs(60);
/// How long each way to stop is given, kindest first.
const STOPS: &[(Signal, Duration)] = &[
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
const LINES_KEPT: usize = 10;

#[derive(Debug)]
pub(super) struct Supervisor {
    /// Nothing is ever sent: the thread stops its server when this is gone.
    alive: Sender<Infallible>,
    thread: JoinHandle<()>,
    /// What the server said last when it ended by itself; empty before.
    ended: watch::Receiver<String>,
}

/// Returns before the server is ready.
pub(super) fn start(program: Program) -> Result<Supervisor, DatabaseError> {
    let (alive, stop) = mpsc::channel();
    let (tell_end, ended) = watch::channel(String::new());
    let thread = thread::Builder::new()
        .name("postgres".into())
        .spawn(move || keep_running(&program, &stop, &tell_end))
        .map_err(|source| DatabaseError::Run {
            program: "the thread of the private Postgres".into(),
            source,
        })?;
    Ok(Supervisor {
        alive,
        thread,
        ended,
    })
}

impl Supervisor {
    /// Returns when the server has ended by itself, with what it said last.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        match ended.wait_for(|said| !said.is_empty()).await {
            Ok(said) => said.clone(),
            Err(_) => "its thread is gone".into(),
        }
    }

    /// Blocks until the server is gone.
    pub(super) fn stop(self) {
        drop(self.alive);
        if self.thread.join().is_err() {
            tracing::error!("the thread of the private Postgres panicked");
        }
    }
}

fn keep_running(program: &Program, stop: &Receiver<Infallible>, tell_end: &watch::Sender<String>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let started = Instant::now();
        let Some(said) = run_once(program, stop) else {
            return;
        };
        if started.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        tracing::error!(
            pause_ms = pause.as_millis(),
            "the private Postgres ended and is started again: {said}"
        );
        tell_end.send_replace(said);
        if stop.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Returns what was said last by a server that ended by itself, nothing for one that was stopped.
fn run_once(program: &Program, stop: &Receiver<Infallible>) -> Option<String> {
    let mut child = match spawn(program) {
        Ok(child) => child,
        Err(err) => {
            let cause = err
                .source()
                .map_or_else(String::new, |it| format!(": {it}"));
            return Some(format!("{err}{cause}"));
        }
    };
    let lines = Arc::new(Mutex::new(VecDeque::new()));
    let reader = child.stderr.take().map(|stderr| {
        let lines = Arc::clone(&lines);
        thread::spawn(move || pass_on(stderr, &lines))
    });
    let status = loop {
        if stop.recv_timeout(LOOK) == Err(RecvTimeoutError::Disconnected) {
            end(&mut child);
            return None;
        }
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => break status,
            Err(err) => return Some(format!("it cannot be watched: {err}")),
        }
    };
    // Its other processes may hold the pipe a moment longer; what it said itself is there.
    if let Some(reader) = reader {
        wait_briefly(&reader);
    }
    Some(last_words(&lines, status))
}

fn spawn(program: &Program) -> Result<Child, DatabaseError> {
    let mut command = command(&program.folder, &program.binaries.program("postgres"))?;
    command
        .args(["-D", &format!("{FOLDER}/{}", program.cluster)])
        .args(["-k", FOLDER, "-p", "5432"]);
    for setting in &program.settings {
        command.args(["-c", setting]);
    }
    command
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| DatabaseError::Run {
            program: "setpriv".into(),
            source,
        })
}

fn end(child: &mut Child) {
    for (signal, limit) in STOPS {
        if let Err(err) = kill_process(Pid::from_child(child), *signal) {
            tracing::error!(
                error = &err as &dyn Error,
                "the private Postgres cannot be stopped"
            );
        }
        let deadline = Instant::now() + *limit;
        while Instant::now() < deadline {
            match child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Ok(Some(_)) => return,
                Err(err) => {
                    tracing::error!(
                        error = &err as &dyn Error,
                        "the private Postgres cannot be watched"
                    );
                    return;
                }
            }
        }
        tracing::warn!(
            "the private Postgres did not stop within {} s",
            limit.as_secs()
        );
    }
}

/// Makes the server's lines the controller's, and keeps the last ones.
fn pass_on(stderr: ChildStderr, kept: &Mutex<VecDeque<String>>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {}
            Err(err) => {
                tracing::warn!(
                    error = &err as &dyn Error,
                    "the log of the private Postgres cannot be read"
                );
                return;
            }
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        // What it says of itself in passing is for whoever looks closely.
        match line.contains("LOG:  ") {
            true => tracing::debug!("postgres: {line}"),
            false => tracing::info!("postgres: {line}"),
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == LINES_KEPT {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

fn wait_briefly(reader: &JoinHandle<()>) {
    let deadline = Instant::now() + Duration::from_millis(200);
    while !reader.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
}

fn last_words(lines: &Mutex<VecDeque<String>>, status: ExitStatus) -> String {
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    let said: Vec<&str> = lines.iter().map(String::as_str).collect();
    format!("{status}; {}", said.join("; "))
}
