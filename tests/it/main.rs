//! Behaviour of the whole, seen from outside: HTTP in, dump out.
//!
//! The same suite runs on three backends, chosen by `WGFLEET_BACKEND`: `memory` (the default),
//! `userspace` and `kernel`. The latter two start the program itself, without root, and need to be
//! root to do so.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]
#![expect(
    clippy::print_stdout,
    reason = "a test that does not apply says so, and one that failed shows the agent's log"
)]

mod batches;
mod bed;
mod cli;
mod confinement;
mod dump;
mod floods;
mod flow;
mod hostile;
mod interface;
mod model;
mod node;
mod peers;
mod races;
mod replays;
mod rotation;
mod scale;
mod simulator;
mod survival;
mod syncconf;
mod tidy;
mod tls;
mod tunnel;
mod vectors;
