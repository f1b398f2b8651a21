//! One `[[interface]]` of the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ipnet::IpNet;
use protocol::InterfaceName;
use settings::{Section, path, text, whole};
use toml::de::DeValue;

use super::files::{Kind, NamedFile};
use super::parse::name_file;
use super::{BackendChoice, Interface, parse_backend};

/// The least that IPv6 works with.
const LEAST_MTU_V6: u32 = 1280;

/// Reads one table that begins in `line`; `None` where even the name is not to be had.
pub(super) fn read(
    section: &mut Section<'_>,
    line: usize,
    files: &mut Vec<NamedFile>,
) -> Option<Interface> {
    let name = section.take("name", interface_name);
    let backend = section.take("backend", backend);
    let create = section.flag("create");
    let listen_port = section.take("listen_port", whole(1, u16::MAX));
    let addresses = section.take_list("addresses", address);
    let mtu = section.take("mtu", whole(576, 65_535));
    let private_key_file = section.take("private_key_file", path);
    let userspace = section.take("userspace", path);

    if let Some(at) = &private_key_file {
        // For an interface that is there already, a path that leads nowhere is a typing error, and a
        // new key in its place would cut every peer off.
        let kind = if create {
            Kind::WireguardKeyToBe
        } else {
            Kind::WireguardKey
        };
        files.push(name_file("interface.private_key_file", at, kind));
    }
    // The default may be missing where the kernel has WireGuard; a program that was named may not.
    if let Some(at) = &userspace {
        files.push(name_file("interface.userspace", at, Kind::Program));
    }
    let addresses: Vec<IpNet> = match addresses {
        Some(list) => list.value.into_iter().map(|at| at.value).collect(),
        None => Vec::new(),
    };
    if let Some(at) = &mtu
        && at.value < LEAST_MTU_V6
        && addresses.iter().any(|net| net.addr().is_ipv6())
    {
        let what = format!("must be at least {LEAST_MTU_V6} for the IPv6 address in addresses");
        section.mistake("mtu", Some(at.line), what);
    }
    if name.is_none() {
        section.require("name", line);
    }

    Some(Interface {
        name: name?.value,
        backend: backend.map_or(BackendChoice::Auto, |at| at.value),
        create,
        listen_port: listen_port.map(|at| at.value),
        addresses,
        mtu: mtu.map(|at| at.value),
        private_key_file: private_key_file.map(|at| at.value),
        userspace: userspace.map_or_else(|| PathBuf::from("/usr/bin/wireguard-go"), |at| at.value),
    })
}

/// Refuses what an interface above already has. `taken` maps each such thing to its line.
pub(super) fn refuse_twins(
    section: &mut Section<'_>,
    line: usize,
    interface: &Interface,
    taken: &mut BTreeMap<(&'static str, String), usize>,
) {
    let name = ("name", interface.name.to_string());
    let port = interface
        .listen_port
        .map(|port| ("listen_port", port.to_string()));
    let address = |net: &IpNet| ("addresses", net.addr().to_string());
    let claims = [name].into_iter().chain(port);
    for claim in claims.chain(interface.addresses.iter().map(address)) {
        let line = section.line_of(claim.0).unwrap_or(line);
        match taken.get(&claim) {
            Some(first) => {
                let what = format!("{} is already in line {first}", claim.1);
                section.mistake(claim.0, Some(line), what);
            }
            None => {
                taken.insert(claim, line);
            }
        }
    }
}

fn interface_name(value: &DeValue<'_>) -> Result<InterfaceName, String> {
    let text = text(value)?;
    InterfaceName::parse(text).map_err(|err| format!("{text:?} {err}"))
}

fn backend(value: &DeValue<'_>) -> Result<BackendChoice, String> {
    parse_backend(text(value)?)
}

fn address(value: &DeValue<'_>) -> Result<IpNet, String> {
    let text = text(value)?;
    text.parse().map_err(|_| {
        format!("{text:?} is not an address with a prefix length, such as 10.8.0.1/24")
    })
}
