//! The faults below this module that look like success stay below it.

use wireguard_control::{DeviceUpdate, PeerConfigBuilder};

use super::*;

#[test]
fn a_missing_interface_is_missing_and_stays_so() {
    let Some(lab) = Lab::open() else { return };
    let ops = [put(key(1), PeerConfig::default())];
    let private = PrivateKey::from_random([7; 32]);

    assert_eq!(lab.device.read(), Err(DeviceError::Missing));
    assert_eq!(lab.device.apply(1, &ops), Err(DeviceError::Missing));
    assert_eq!(
        lab.device.set_private_key(1, &private),
        Err(DeviceError::Missing)
    );
    assert_eq!(
        lab.device.set_listen_port(1, 51820),
        Err(DeviceError::Missing)
    );
    assert_eq!(lab.device.delete(1), Err(DeviceError::Missing));
    assert_eq!(lab.device.set_up(true), Err(DeviceError::Missing));
    assert_eq!(lab.device.set_mtu(1400), Err(DeviceError::Missing));
    assert_eq!(
        lab.device.add_address("10.0.0.1/24".parse().unwrap()),
        Err(DeviceError::Missing)
    );
    assert_eq!(lab.device.link(), Ok(None));
    assert_eq!(lab.device.index(), Ok(None));
}

#[test]
fn an_interface_that_was_made_again_is_not_written_to() {
    let Some(lab) = Lab::start() else { return };
    if !lab.is_kernel() {
        return;
    }
    let old = lab.index();
    lab.device.delete(old).unwrap();
    lab.device.create().unwrap();

    let outcome = lab.device.apply(old, &[put(key(1), PeerConfig::default())]);

    assert_eq!(outcome, Err(DeviceError::Missing));
    assert!(lab.read().peers.is_empty());
}

#[test]
fn an_interface_that_the_library_made_is_deleted_again() {
    let Some(lab) = Lab::start() else { return };
    let Device::Kernel(kernel) = &lab.device else {
        return;
    };
    let old = lab.index();
    let ops = varied_peers(50);
    let update = || update::updates(&ops).next().unwrap();
    kernel.delete(old).unwrap();

    let outcome = kernel.write_unchecked(old, update(), &ops);

    assert_eq!(outcome, Err(DeviceError::Missing));
    assert_eq!(kernel.index(), Ok(None));

    // One that somebody has begun to use is left alone.
    kernel.create().unwrap();
    kernel.set_up(true).unwrap();
    let outcome = kernel.write_unchecked(old, update(), &ops);

    assert_eq!(outcome, Err(DeviceError::Missing));
    assert!(kernel.index().unwrap().is_some());
}

#[test]
fn another_kind_of_interface_is_refused_and_left_alone() {
    let Some(lab) = Lab::open() else { return };
    let choice = if lab.is_kernel() {
        BackendChoice::Kernel
    } else {
        BackendChoice::Userspace
    };
    let loopback = open(&InterfaceName::parse("lo").unwrap(), choice).unwrap();
    let index = loopback.index().unwrap().unwrap();
    let ops = [put(key(1), PeerConfig::default())];

    assert_eq!(loopback.link(), Err(DeviceError::NotWireguard));
    assert_eq!(loopback.set_mtu(1400), Err(DeviceError::NotWireguard));
    assert_eq!(loopback.set_up(false), Err(DeviceError::NotWireguard));
    let of_the_device = if lab.is_kernel() {
        DeviceError::NotWireguard
    } else {
        DeviceError::Missing
    };
    assert_eq!(loopback.read(), Err(of_the_device));
    assert_eq!(loopback.apply(index, &ops), Err(of_the_device));
    assert_eq!(loopback.delete(index), Err(of_the_device));
    assert_eq!(loopback.index(), Ok(Some(index)));
}

#[test]
fn what_does_not_happen_is_seen_in_the_next_reading() {
    let Some(lab) = Lab::start() else { return };
    let private = PrivateKey::from_random([7; 32]);
    let own = private.public_key();
    let ip = config(cidrs(&["10.0.0.1/32"]));

    // The device's own key is not added, and as a peer it goes when it becomes the device's.
    lab.apply(&[put(own, ip.clone())]);
    assert!(lab.read().peers.contains_key(&own));
    lab.device.set_private_key(lab.index(), &private).unwrap();
    assert!(lab.read().peers.is_empty());
    lab.apply(&[put(own, ip.clone())]);
    assert!(lab.read().peers.is_empty());

    // An allowed IP goes to the last who claims it.
    lab.apply(&[put(key(1), ip.clone()), put(key(2), ip.clone())]);
    let peers = lab.read().peers;
    assert!(peers[&key(1)].config.allowed_ips.is_empty());
    assert_eq!(peers[&key(2)].config, ip);
}

#[test]
fn what_other_programs_set_is_shown_however_odd() {
    let Some(lab) = Lab::start() else { return };
    let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
    let unreachable = "192.0.2.1:0".parse().unwrap();
    let zero = PublicKey::observed([0; 32]);
    let peer = |key| PeerConfigBuilder::new(&raw(key));

    // To wireguard-go without a private key, zero is its own key.
    let private = PrivateKey::from_random([7; 32]);
    lab.device.set_private_key(lab.index(), &private).unwrap();
    lab.foreign(
        DeviceUpdate::new()
            .add_peer(peer(key(1)).add_allowed_ip(mapped, 128))
            .add_peer(peer(key(2)).set_endpoint(unreachable))
            .add_peer(peer(key(3)).add_allowed_ip("10.9.9.9".parse().unwrap(), 24))
            .add_peer(peer(zero).add_allowed_ip("10.1.0.0".parse().unwrap(), 16)),
    );

    let peers = lab.read().peers;
    let printed = |key| format!("{:?}", peers[&key].config.allowed_ips);
    // wireguard-go takes such a prefix for the IPv4 one.
    assert!(printed(key(1)).contains("10.0.0.1/"), "{}", printed(key(1)));
    assert_eq!(peers[&key(2)].endpoint, None);
    assert!(
        printed(key(3)).contains("10.9.9.0/24"),
        "{}",
        printed(key(3))
    );
    assert!(printed(zero).contains("10.1.0.0/16"), "{}", printed(zero));

    lab.apply(&[PeerOp::Remove(zero), PeerOp::Remove(key(1))]);
    assert_eq!(lab.read().peers.len(), 2);
}

#[test]
fn a_refusal_gives_a_number_and_no_words() {
    let Some(lab) = Lab::start() else { return };
    let taken = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    lab.device.set_up(true).unwrap();

    let outcome = lab.device.set_listen_port(lab.index(), port);

    let address_in_use = lab.is_kernel().then_some(98);
    let refused = DeviceError::Refused {
        errno: address_in_use,
    };
    assert_eq!(outcome, Err(refused));
}
