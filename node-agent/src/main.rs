//! The program: it hands its arguments over, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    node_agent::cli::run(std::env::args_os())
}
