//! `digest`: the hash of an interface as it is now, to compare with what a controller believes.

use std::io::Write;

use protocol::{Digest, InterfaceName};

use super::Failure;
use crate::config::parse_backend;
use crate::device::{self, BackendChoice};

/// Print the digest of an interface and the number of its peers
///
/// Reads the interface on this machine, not through a running agent. Equal digests mean equal
/// configuration: the same peers with the same allowed IPs, keepalives and preshared keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  wgfleet-agent digest wg0")]
pub(super) struct Arguments {
    /// Name of the interface
    #[arg(value_name = "IF", value_parser = InterfaceName::parse)]
    interface: InterfaceName,
    /// Where the interface lives: auto, kernel or userspace
    #[arg(long, default_value = "auto", value_parser = parse_backend)]
    backend: BackendChoice,
}

pub(super) fn run(arguments: &Arguments, out: &mut dyn Write) -> Result<u8, Failure> {
    let reading = device::open(&arguments.interface, arguments.backend)
        .and_then(|device| device.read())
        .map_err(|source| Failure::Device {
            name: arguments.interface.clone(),
            source,
        })?;
    let peers = reading.peers.iter().map(|(key, seen)| (key, &seen.config));
    writeln!(out, "{} {}", Digest::of(peers), reading.peers.len())?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_does_not_exist_is_named() {
        let arguments = Arguments {
            interface: InterfaceName::parse("wg-nowhere").unwrap(),
            backend: BackendChoice::Userspace,
        };
        let mut out = Vec::new();

        let failure = run(&arguments, &mut out).unwrap_err();

        assert_eq!(failure.to_string(), "wg-nowhere cannot be read");
        assert!(out.is_empty());
    }
}
