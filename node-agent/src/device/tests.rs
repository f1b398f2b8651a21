//! What this module promises, held against real WireGuard and against the memory device.
//!
//! These tests need root and change interfaces of the network they run in, so they run only where
//! the environment asks for them: `WGFLEET_DEVICE_TESTS=kernel` (inside a VM) or `=userspace` (in a
//! network namespace, with wireguard-go). One at a time: they measure time and memory.

use std::net::IpAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use protocol::{AllowedIps, Cidr, PresharedKey};

use super::*;

mod faults;
mod link;
mod peers;
mod races;
mod scale;

/// A device of its own for one test, gone afterwards.
struct Lab {
    device: Device,
    name: InterfaceName,
    _one_at_a_time: MutexGuard<'static, ()>,
}

impl Lab {
    /// `None`, and a line that says why, where there is nothing to test with.
    fn open() -> Option<Self> {
        let choice = match std::env::var("WGFLEET_DEVICE_TESTS").as_deref() {
            Ok("kernel") => BackendChoice::Kernel,
            Ok("userspace") => BackendChoice::Userspace,
            _ => {
                println!("skipped: WGFLEET_DEVICE_TESTS is neither kernel nor userspace");
                return None;
            }
        };
        static LOCK: Mutex<()> = Mutex::new(());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let _one_at_a_time = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = InterfaceName::parse(&format!("wgt{}x{number}", std::process::id())).unwrap();
        Some(Self {
            device: open(&name, choice).unwrap(),
            name,
            _one_at_a_time,
        })
    }

    /// With an interface that exists.
    fn start() -> Option<Self> {
        let lab = Self::open()?;
        match &lab.device {
            Device::Kernel(kernel) => kernel.create().unwrap(),
            Device::Userspace(userspace) => {
                let daemon = Command::new("wireguard-go")
                    .arg(lab.name.as_str())
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                assert!(daemon.unwrap().success());
                // It takes connections a while before it answers them.
                within(Duration::from_secs(5), || userspace.read().is_ok());
            }
            Device::Memory(_) => {}
        }
        Some(lab)
    }

    fn is_kernel(&self) -> bool {
        matches!(self.device, Device::Kernel(_))
    }

    fn index(&self) -> u32 {
        self.device.index().unwrap().unwrap()
    }

    fn read(&self) -> Reading {
        self.device.read().unwrap()
    }

    fn apply(&self, ops: &[PeerOp]) {
        self.device.apply(self.index(), ops).unwrap();
    }

    /// Changes the device as another program would, past this module.
    fn foreign(&self, update: wireguard_control::DeviceUpdate) {
        foreign(&self.name, self.is_kernel(), update);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Ok(Some(index)) = self.device.index() {
            let deleted = self.device.delete(index);
            assert!(deleted.is_ok() || thread::panicking(), "{deleted:?}");
        }
    }
}

fn raw(key: PublicKey) -> wireguard_control::Key {
    wireguard_control::Key(*key.as_bytes())
}

fn foreign(name: &InterfaceName, kernel: bool, update: wireguard_control::DeviceUpdate) {
    let backend = match kernel {
        true => wireguard_control::Backend::Kernel,
        false => wireguard_control::Backend::Userspace,
    };
    let name = name.as_str().parse().unwrap();
    update.apply(&name, backend).unwrap();
}

/// Opened by one thread, owned by another.
#[test]
fn a_device_can_be_handed_to_its_thread() {
    fn is_send<T: Send>() {}
    is_send::<Device>();
}

#[track_caller]
fn within(limit: Duration, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < limit, "not within {limit:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn key(number: u32) -> PublicKey {
    let mut bytes = [0xa5; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PublicKey::from_bytes(bytes).unwrap()
}

fn preshared(number: u8) -> PresharedKey {
    PresharedKey::from_bytes([number; 32]).unwrap()
}

fn cidrs(texts: &[&str]) -> AllowedIps {
    let parse = |text: &&str| Cidr::parse(text).unwrap();
    texts.iter().map(parse).collect()
}

fn config(allowed_ips: AllowedIps) -> PeerConfig {
    PeerConfig {
        allowed_ips,
        ..PeerConfig::default()
    }
}

fn put(key: PublicKey, config: PeerConfig) -> PeerOp {
    PeerOp::Put {
        key,
        config,
        replace_allowed_ips: true,
        endpoint: None,
    }
}

/// The `at`th allowed IP of a peer, IPv4 and IPv6 by turns.
fn numbered_cidr(peer: u32, at: u32) -> Cidr {
    let number = peer * 8 + at;
    let (address, length): (IpAddr, u8) = match at % 2 {
        0 => (std::net::Ipv4Addr::from(0x0a00_0000 + number).into(), 32),
        _ => {
            let address = (0xfd00_u128 << 112) + u128::from(number);
            (std::net::Ipv6Addr::from(address).into(), 128)
        }
    };
    Cidr::new(address, length).unwrap()
}

/// Peers that differ in all that makes their entries longer or shorter, so that messages end at any place in one.
fn varied_peers(count: u32) -> Vec<PeerOp> {
    let varied = |peer: u32| PeerOp::Put {
        key: key(peer),
        config: PeerConfig {
            allowed_ips: (0..=peer % 5).map(|at| numbered_cidr(peer, at)).collect(),
            persistent_keepalive: 0,
            preshared_key: peer.is_multiple_of(4).then(|| preshared(9)),
        },
        replace_allowed_ips: false,
        endpoint: match peer % 3 {
            0 => Endpoint::parse("192.0.2.1:51820").ok(),
            1 => Endpoint::parse("[2001:db8::1]:51820").ok(),
            _ => None,
        },
    };
    (0..count).map(varied).collect()
}

/// What a reading must show after these were put into an empty device.
fn expected(ops: &[PeerOp]) -> BTreeMap<PublicKey, Observed> {
    let observed = |op: &PeerOp| match op {
        PeerOp::Put {
            key,
            config,
            endpoint,
            ..
        } => Some((
            *key,
            Observed {
                config: config.clone(),
                endpoint: *endpoint,
                ..Observed::default()
            },
        )),
        PeerOp::Remove(_) => None,
    };
    ops.iter().filter_map(observed).collect()
}
