//! The program `wgfleet`: it hands its arguments over, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    controller::cli::run(std::env::args_os())
}
