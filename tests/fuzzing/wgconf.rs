//! Configurations in the syntax of wg(8): what is read is what `wg showconf` would print of it.

use std::fmt::{self, Write as _};

use node_agent::plan::Write;
use node_agent::wgconf::{self, WgConf};
use protocol::{Cidr, PublicKey};

use super::interface::Interface;
use super::secrecy;

pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match wgconf::parse(text) {
        Ok(conf) => {
            check_nothing_is_left_out(text, &conf);
            check_conf(&conf);
        }
        Err(error) => {
            let command = error.command();
            let error = error.to_string();
            let rest = error.strip_prefix("line ").unwrap();
            let line: usize = rest.split_once(": ").unwrap().0.parse().unwrap();
            let line = text.lines().nth(line - 1).unwrap();
            if let Some(command) = command {
                let key = line.split('=').next().unwrap().trim();
                assert!(key.eq_ignore_ascii_case(command), "{key:?} is no {command}");
            }
            if may_hold_a_secret(line) {
                secrecy::check(&error, text, secrecy::key_like(line));
            }
        }
    }
}

/// Whether a line is not plainly one whose value is no secret, and so may be repeated in an error.
fn may_hold_a_secret(line: &str) -> bool {
    let key = line.split('=').next().unwrap().trim().to_ascii_lowercase();
    let open = [
        "publickey",
        "allowedips",
        "endpoint",
        "listenport",
        "persistentkeepalive",
    ];
    !open.contains(&key.as_str())
}

fn check_nothing_is_left_out(text: &str, conf: &WgConf) {
    let mut peers = conf.peers.iter();
    let mut peer = None;
    for line in text.lines() {
        let line = line.split('#').next().unwrap().trim();
        if line.starts_with('[') {
            let next = line.eq_ignore_ascii_case("[peer]").then(|| peers.next());
            peer = next.map(Option::unwrap);
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        match (peer, key.trim().to_ascii_lowercase().as_str()) {
            (None, "privatekey") => assert!(conf.private_key.is_some()),
            (None, "listenport") => assert!(conf.listen_port.is_some()),
            (Some(peer), "presharedkey") => assert!(peer.preshared_key.is_some()),
            (Some(peer), "endpoint") => assert!(peer.endpoint.is_some()),
            (Some(peer), "persistentkeepalive") => assert!(peer.persistent_keepalive.is_some()),
            (Some(peer), "allowedips") => {
                let cidrs = value.split(',').filter(|text| !text.trim().is_empty());
                for cidr in cidrs.map(|text| Cidr::parse(text.trim()).unwrap()) {
                    assert!(peer.allowed_ips.iter().any(|kept| *kept == cidr));
                }
            }
            _ => {}
        }
    }
    assert!(peers.next().is_none());
}

fn check_conf(conf: &WgConf) {
    let mut printed = String::new();
    print(conf, &mut printed).unwrap();
    assert_eq!(wgconf::parse(&printed).as_ref(), Ok(conf), "{printed}");
    let windows = printed.replace('\n', "\r\n");
    assert_eq!(wgconf::parse(&windows).as_ref(), Ok(conf));
    for allow_removals in [None, Some(5), Some(1000)] {
        let mut interface = Interface::with_peers();
        interface.write(&Write::Sync {
            peers: conf.peers.clone(),
            allow_removals,
        });
        interface.end(Interface::with_peers());
    }
}

fn print(conf: &WgConf, text: &mut String) -> fmt::Result {
    writeln!(text, "[Interface]")?;
    if let Some(port) = conf.listen_port {
        writeln!(text, "ListenPort = {port}")?;
    }
    if let Some(key) = &conf.private_key {
        writeln!(text, "PrivateKey = {}", key.reveal())?;
    }
    for peer in &conf.peers {
        let public_key: &PublicKey = &peer.public_key;
        writeln!(text, "\n[Peer]\nPublicKey = {public_key}")?;
        if let Some(key) = &peer.preshared_key {
            writeln!(text, "PresharedKey = {}", key.reveal())?;
        }
        if !peer.allowed_ips.is_empty() {
            let cidrs: Vec<String> = peer.allowed_ips.iter().map(ToString::to_string).collect();
            writeln!(text, "AllowedIPs = {}", cidrs.join(", "))?;
        }
        if let Some(endpoint) = &peer.endpoint {
            writeln!(text, "Endpoint = {endpoint}")?;
        }
        match peer.persistent_keepalive {
            None => {}
            Some(0) => writeln!(text, "PersistentKeepalive = off")?,
            Some(seconds) => writeln!(text, "PersistentKeepalive = {seconds}")?,
        }
    }
    Ok(())
}
