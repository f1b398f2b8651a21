//! Large devices: whole, quick and in little memory.

use super::*;

#[test]
fn a_thousand_peers_of_all_lengths_are_read_back_whole() {
    let Some(lab) = Lab::start() else { return };
    let peers = varied_peers(1000);

    lab.apply(&peers);

    assert!(lab.read().peers == expected(&peers));
}

#[test]
fn ten_thousand_peers_with_five_allowed_ips_are_written_and_read_back_whole() {
    let Some(lab) = Lab::start() else { return };
    let five = |peer: u32| {
        let allowed_ips = (0..5).map(|at| numbered_cidr(peer, at)).collect();
        put(key(peer), config(allowed_ips))
    };
    let peers: Vec<PeerOp> = (0..10_000).map(five).collect();
    lab.read();

    let start = Instant::now();
    let peak = Peak::start();
    lab.apply(&peers);
    println!(
        "written in {:?}, {} kB on top",
        start.elapsed(),
        peak.used()
    );
    let start = Instant::now();
    let peak = Peak::start();
    let reading = lab.read();
    let (time, used) = (start.elapsed(), peak.used());
    println!("read in {time:?}, {used} kB on top");
    assert!(reading.peers == expected(&peers));
    drop(reading);

    let backend = match lab.is_kernel() {
        true => wireguard_control::Backend::Kernel,
        false => wireguard_control::Backend::Userspace,
    };
    let name = lab.name.as_str().parse().unwrap();
    let start = Instant::now();
    let peak = Peak::start();
    let by_library = wireguard_control::Device::get(&name, backend).unwrap();
    let (library_time, library_used) = (start.elapsed(), peak.used());
    println!("by the library in {library_time:?}, {library_used} kB on top");
    assert!(by_library.peers.len() >= 10_000);
    assert!(used < 6_000, "{used} kB");
}

#[test]
fn a_device_with_many_peers_is_deleted_quickly() {
    let Some(lab) = Lab::start() else { return };
    lab.apply(&varied_peers(1000));
    let start = Instant::now();

    lab.device.delete(lab.index()).unwrap();

    println!("deleted in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(4));
    within(Duration::from_secs(5), || lab.device.index() == Ok(None));
}

/// The highest resident memory since the start of the measurement, above what there was then.
struct Peak {
    before: u64,
}

impl Peak {
    fn start() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self {
            before: kilobytes("VmRSS:"),
        }
    }

    fn used(&self) -> u64 {
        kilobytes("VmHWM:") - self.before
    }
}

fn kilobytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    let digits = value.unwrap().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}
