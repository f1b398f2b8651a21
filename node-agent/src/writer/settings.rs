//! Changing the interface itself: key, port, addresses, link state.
//!
//! A value that the kernel refuses leaves the running interface as it was. The private key goes
//! last, because the old one cannot be read back to undo it.

use protocol::wire::answers;
use protocol::{PrivateKey, PublicKey};

use super::{Failure, Writer};
use crate::device::{Device, DeviceError, Link};
use crate::state::{Record, Settings};

/// Settings to replace; `None` keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SettingsChange {
    pub private_key: Option<PrivateKey>,
    /// What the caller believes the public key to be; refused where it is not.
    pub public_key: Option<PublicKey>,
    pub listen_port: Option<u16>,
    pub addresses: Option<Vec<ipnet::IpNet>>,
    pub mtu: Option<u32>,
    pub dns: Option<Option<String>>,
    pub table: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkAction {
    Enable,
    Disable,
    Remove,
}

impl Writer {
    pub(super) fn config(&mut self) -> Result<answers::InterfaceConfig, Failure> {
        let link = self.link()?;
        let addresses: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
        Ok(answers::InterfaceConfig {
            public_key: self.ledger.own_key,
            listen_port: self.listen_port,
            address: (!addresses.is_empty()).then(|| addresses.join(", ")),
            mtu: link.mtu,
            dns: self.settings.dns.clone(),
            table: self.settings.table.clone(),
            ..answers::InterfaceConfig::default()
        })
    }

    fn link(&self) -> Result<Link, Failure> {
        let link = self.device.link().map_err(|err| self.failure(&err))?;
        link.ok_or_else(|| Failure::InterfaceMissing(self.name().clone()))
    }

    pub(super) fn change_settings(
        &mut self,
        change: &SettingsChange,
        request: i64,
    ) -> Result<(), Failure> {
        self.look()?;
        self.check_key(change)?;
        if *change == SettingsChange::default() {
            return Ok(());
        }
        let index = self.present()?;
        let link = self.link()?;
        let before = self.settings.clone();
        let port_before = self.listen_port;
        self.settings = changed(before.clone(), change);
        if let Err(failure) = self.remember_settings(request) {
            self.settings = before;
            return Err(failure);
        }
        if let Err(err) = self.apply_settings(index, change, &link) {
            tracing::warn!(error = &err as &dyn std::error::Error, interface = %self.name(), "the device refused new settings");
            self.settings = before;
            self.put_settings_back(index, &link, port_before);
            self.rewrite();
            self.publish();
            return Err(self.failure(&err));
        }
        self.look()?;
        self.publish();
        Ok(())
    }

    fn check_key(&self, change: &SettingsChange) -> Result<(), Failure> {
        let next = change
            .private_key
            .as_ref()
            .map(PrivateKey::public_key)
            .or(self.ledger.own_key);
        if let Some(claimed) = change.public_key
            && Some(claimed) != next
        {
            return Err(Failure::Invalid(
                "public_key follows from the private key and cannot be set".into(),
            ));
        }
        let Some(next) = next else { return Ok(()) };
        if self.ledger.managed_peer(&next).is_some() || self.ledger.observed(&next).is_some() {
            return Err(Failure::Invalid(format!(
                "the key of peer {next} cannot be the interface's own"
            )));
        }
        Ok(())
    }

    fn remember_settings(&mut self, request: i64) -> Result<(), Failure> {
        self.latest_request = self.latest_request.max(Some(request));
        self.write_down(&Record {
            request: Some(request),
            settings: Some(self.settings.clone()),
            ..Record::default()
        })
    }

    fn apply_settings(
        &self,
        index: u32,
        change: &SettingsChange,
        link: &Link,
    ) -> Result<(), DeviceError> {
        if let Some(mtu) = change.mtu {
            self.device.set_mtu(mtu)?;
        }
        if let Some(addresses) = &change.addresses {
            self.set_addresses(&link.addresses, addresses)?;
        }
        if let Some(port) = change.listen_port
            && self.listen_port != Some(port)
        {
            self.device.set_listen_port(index, port)?;
        }
        if let Some(key) = &change.private_key
            && self.ledger.own_key != Some(key.public_key())
        {
            self.device.set_private_key(index, key)?;
        }
        Ok(())
    }

    fn set_addresses(&self, from: &[ipnet::IpNet], to: &[ipnet::IpNet]) -> Result<(), DeviceError> {
        for address in to.iter().filter(|address| !from.contains(address)) {
            self.device.add_address(*address)?;
        }
        for address in from.iter().filter(|address| !to.contains(address)) {
            self.device.remove_address(*address)?;
        }
        // Linux takes the later addresses of a network away with its first.
        let link = self.device.link()?.ok_or(DeviceError::Missing)?;
        for address in to
            .iter()
            .filter(|address| !link.addresses.contains(address))
        {
            self.device.add_address(*address)?;
        }
        Ok(())
    }

    fn put_settings_back(&mut self, index: u32, link: &Link, port: Option<u16>) {
        let back = || -> Result<(), DeviceError> {
            if let Some(mtu) = link.mtu {
                self.device.set_mtu(mtu)?;
            }
            if let Some(now) = self.device.link()? {
                self.set_addresses(&now.addresses, &link.addresses)?;
            }
            match port {
                Some(port) => self.device.set_listen_port(index, port),
                None => Ok(()),
            }
        };
        if let Err(err) = back() {
            tracing::error!(error = &err as &dyn std::error::Error, interface = %self.name(), "cannot put the settings back; trying again");
            self.device_differs = true;
        }
    }

    /// Enables, disables or removes the interface; tells whether that changed anything.
    pub(super) fn change_link(
        &mut self,
        action: LinkAction,
        request: i64,
    ) -> Result<bool, Failure> {
        self.check_presence();
        let before = self.settings.clone();
        match action {
            LinkAction::Enable => {
                self.settings.disabled = false;
                self.settings.removed = false;
            }
            LinkAction::Disable => {
                self.present()?;
                self.settings.disabled = true;
            }
            LinkAction::Remove if before.removed => return Ok(false),
            LinkAction::Remove => {
                if !before.created || matches!(self.device, Device::Userspace(_)) {
                    return Err(Failure::NotCreated(self.name().clone()));
                }
                self.settings.removed = true;
            }
        }
        if self.settings != before
            && let Err(failure) = self.remember_settings(request)
        {
            self.settings = before;
            return Err(failure);
        }
        let changed = self.carry_out(action, &before);
        if changed.is_err() {
            self.settings = before;
            self.rewrite();
        }
        self.publish();
        changed
    }

    fn carry_out(&mut self, action: LinkAction, before: &Settings) -> Result<bool, Failure> {
        if action == LinkAction::Enable && before.removed {
            self.retry_at = None;
            self.bring_up();
        }
        if action == LinkAction::Remove && self.index.is_none() {
            return Ok(false);
        }
        let index = self
            .index
            .ok_or_else(|| Failure::InterfaceMissing(self.name().clone()))?;
        let was_up = self.link()?.up;
        let done = match action {
            LinkAction::Enable => self.device.set_up(true).map(|()| !was_up || before.removed),
            LinkAction::Disable => self.device.set_up(false).map(|()| was_up),
            LinkAction::Remove => self.device.delete(index).map(|()| true),
        };
        let changed = done.map_err(|err| self.failure(&err))?;
        match action {
            LinkAction::Enable => self.up = true,
            LinkAction::Disable => self.up = false,
            LinkAction::Remove => self.lose(),
        }
        Ok(changed)
    }
}

fn changed(mut settings: Settings, change: &SettingsChange) -> Settings {
    settings.private_key = change.private_key.clone().or(settings.private_key);
    settings.listen_port = change.listen_port.or(settings.listen_port);
    settings.addresses = change.addresses.clone().or(settings.addresses);
    settings.mtu = change.mtu.or(settings.mtu);
    if let Some(dns) = &change.dns {
        settings.dns = dns.clone();
    }
    if let Some(table) = &change.table {
        settings.table = table.clone();
    }
    settings
}
