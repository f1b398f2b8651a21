//! The link: up, down, MTU, addresses, made and deleted.

use super::*;

#[test]
fn the_link_is_what_it_was_set_to() {
    let Some(lab) = Lab::start() else { return };
    let addresses: Vec<IpNet> = ["10.77.0.1/24", "10.78.0.1/32", "fd77::1/64"]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();

    for address in addresses.iter().chain(&addresses).rev() {
        lab.device.add_address(*address).unwrap();
    }
    lab.device.set_mtu(1380).unwrap();
    lab.device.set_up(true).unwrap();
    let up = lab.device.link().unwrap().unwrap();
    lab.device.set_up(false).unwrap();
    lab.device.remove_address(addresses[0]).unwrap();
    lab.device.remove_address(addresses[0]).unwrap();
    let down = lab.device.link().unwrap().unwrap();

    assert_eq!(up.index, lab.index());
    assert!(up.up);
    assert_eq!(up.mtu, Some(1380));
    assert_eq!(up.addresses, addresses);
    assert!(!down.up);
    assert_eq!(down.addresses[0], addresses[1]);
}

#[test]
fn making_what_is_there_changes_nothing() {
    let Some(lab) = Lab::start() else { return };
    lab.apply(&[put(key(1), PeerConfig::default())]);
    let before = lab.index();

    lab.device.create().unwrap();

    assert_eq!(lab.index(), before);
    assert_eq!(lab.read().peers.len(), 1);
}

#[test]
fn a_choice_left_open_finds_the_device_that_is_there() {
    let Some(lab) = Lab::start() else { return };

    let found = open(&lab.name, BackendChoice::Auto).unwrap();

    assert_eq!(found.backend(), lab.device.backend());
}

#[test]
fn a_kernel_without_wireguard_says_so() {
    let Some(lab) = Lab::open() else { return };
    if lab.is_kernel() || kernel_has_wireguard().unwrap() {
        assert_eq!(kernel_has_wireguard(), Ok(true));
        return;
    }
    let kernel = |name: &str| Kernel::new(&InterfaceName::parse(name).unwrap()).unwrap();
    let loopback = kernel("lo");
    let index = loopback.index().unwrap().unwrap();
    let ops = [put(key(1), PeerConfig::default())];

    assert_eq!(loopback.read(), Err(DeviceError::NoKernelModule));
    assert_eq!(
        loopback.apply(index, &ops),
        Err(DeviceError::NoKernelModule)
    );
    assert_eq!(kernel("wgtnone").create(), Err(DeviceError::NoKernelModule));
    assert_eq!(kernel("wgtnone").read(), Err(DeviceError::Missing));
    let found = open(&lab.name, BackendChoice::Auto).unwrap();
    assert_eq!(found.backend(), "userspace");
}

#[test]
fn a_deleted_interface_is_gone() {
    let Some(lab) = Lab::start() else { return };

    lab.device.delete(lab.index()).unwrap();

    within(Duration::from_secs(5), || lab.device.index() == Ok(None));
    assert_eq!(lab.device.read(), Err(DeviceError::Missing));
}

#[test]
fn asking_for_the_index_is_cheap() {
    let Some(lab) = Lab::start() else { return };
    let start = Instant::now();

    for _ in 0..1000 {
        lab.index();
    }

    println!("1,000 times in {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(500));
}
