//! The program: subcommands, nothing else.

fn main() {}
