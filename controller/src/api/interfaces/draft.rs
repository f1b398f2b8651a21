//! What is asked of an interface, read field by field.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use protocol::InterfaceName;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use utoipa::ToSchema;

use crate::api::body::given;
use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::problem::Problem;
use crate::api::reference::IdOrName;
use crate::api::texts;
use crate::domain::address::prefix;
use crate::domain::drift::DriftPolicy;
use crate::domain::endpoint::PublicEndpoint;
use crate::domain::interface::{Changes, NewInterface};

/// An interface to be added to a node. The device is on the machine already, or will be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "wg0", "network": "office", "endpoint": "fra-1.example.com:51820"}))]
pub struct InterfaceDraft {
    /// What the device is called on the machine.
    #[schema(value_type = texts::InterfaceName)]
    name: String,
    /// The network that it serves: an id or a name.
    network: IdOrName,
    /// `host:port`, where peers reach it from outside; an IPv6 address stands in brackets.
    #[schema(value_type = texts::PublicEndpoint)]
    endpoint: String,
    /// A part of the network where its peers preferably get their addresses.
    #[schema(value_type = Option<texts::PrefixV4>)]
    ip_pool_v4: Option<String>,
    #[schema(value_type = Option<texts::PrefixV6>)]
    ip_pool_v6: Option<String>,
    /// Its own addresses in the network, if they are known already.
    #[schema(format = Ipv4)]
    address_v4: Option<String>,
    #[schema(format = Ipv6)]
    address_v6: Option<String>,
    /// `report` if absent.
    drift_policy: Option<DriftPolicy>,
}

/// What to change of an interface; absent keeps, null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterfaceChange {
    /// Refused while peers are placed on it.
    #[schema(value_type = Option<texts::InterfaceName>)]
    name: Option<String>,
    /// Refused while peers are placed on it. Pools and addresses of the old network are given up.
    network: Option<IdOrName>,
    #[schema(value_type = Option<texts::PublicEndpoint>)]
    endpoint: Option<String>,
    /// Where peers get their addresses from now on; nobody moves.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::PrefixV4>)]
    ip_pool_v4: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::PrefixV6>)]
    ip_pool_v6: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = Ipv4)]
    address_v4: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = Ipv6)]
    address_v6: Option<Option<String>>,
    drift_policy: Option<DriftPolicy>,
}

impl InterfaceDraft {
    pub(crate) fn parse(self) -> Result<NewInterface, Problem> {
        let mut fields = Fields::default();
        let new = self.read(&mut fields, "");
        fields.finish(new)
    }

    /// Reads it as a part of something larger, whose fields it notes its mistakes with.
    pub(in crate::api) fn read(self, fields: &mut Fields, within: &str) -> Option<NewInterface> {
        let at = |field: &str| format!("{within}{field}");
        let name = fields.take(&at("name"), InterfaceName::parse(&self.name));
        let network = fields.take(&at("network"), self.network.parse());
        let endpoint = fields.take(&at("endpoint"), PublicEndpoint::parse(&self.endpoint));
        let pool_v4 = self.ip_pool_v4.map(|text| v4_pool(&text));
        let pool_v6 = self.ip_pool_v6.map(|text| v6_pool(&text));
        let address_v4 = self.address_v4.map(|text| v4_address(&text));
        let address_v6 = self.address_v6.map(|text| v6_address(&text));
        let ip_pools = [
            pool_v4.and_then(|pool| fields.take(&at("ip_pool_v4"), pool).map(IpNet::V4)),
            pool_v6.and_then(|pool| fields.take(&at("ip_pool_v6"), pool).map(IpNet::V6)),
        ];
        let addresses = [
            address_v4.and_then(|it| fields.take(&at("address_v4"), it).map(IpAddr::V4)),
            address_v6.and_then(|it| fields.take(&at("address_v6"), it).map(IpAddr::V6)),
        ];
        Some(NewInterface {
            name: name?,
            network: network?,
            endpoint: endpoint?,
            ip_pools: ip_pools.into_iter().flatten().collect(),
            addresses: addresses.into_iter().flatten().collect(),
            drift_policy: self.drift_policy.unwrap_or(DriftPolicy::Report),
        })
    }
}

impl InterfaceChange {
    pub(crate) fn parse(self) -> Result<Changes, Problem> {
        let mut fields = Fields::default();
        let changes = Changes {
            name: self
                .name
                .and_then(|name| fields.take("name", InterfaceName::parse(&name))),
            network: self
                .network
                .and_then(|network| fields.take("network", network.parse())),
            endpoint: self
                .endpoint
                .and_then(|text| fields.take("endpoint", PublicEndpoint::parse(&text))),
            ip_pool_v4: fields.take_given("ip_pool_v4", self.ip_pool_v4, v4_pool),
            ip_pool_v6: fields.take_given("ip_pool_v6", self.ip_pool_v6, v6_pool),
            address_v4: fields.take_given("address_v4", self.address_v4, v4_address),
            address_v6: fields.take_given("address_v6", self.address_v6, v6_address),
            drift_policy: self.drift_policy,
        };
        fields.finish(Some(changes))
    }
}

fn v4_pool(text: &str) -> Result<Ipv4Net, Mistake> {
    match prefix::parse(text)? {
        IpNet::V4(pool) => Ok(pool),
        IpNet::V6(_) => Err(Mistake::new("not_a_v4_prefix", "is not an IPv4 prefix")),
    }
}

fn v6_pool(text: &str) -> Result<Ipv6Net, Mistake> {
    match prefix::parse(text)? {
        IpNet::V4(_) => Err(Mistake::new("not_a_v6_prefix", "is not an IPv6 prefix")),
        IpNet::V6(pool) => Ok(pool),
    }
}

fn v4_address(text: &str) -> Result<Ipv4Addr, Mistake> {
    text.parse()
        .map_err(|_| Mistake::new("not_a_v4_address", "is not an IPv4 address"))
}

fn v6_address(text: &str) -> Result<Ipv6Addr, Mistake> {
    text.parse()
        .map_err(|_| Mistake::new("not_a_v6_address", "is not an IPv6 address"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn draft(body: Value) -> Result<NewInterface, Problem> {
        serde_json::from_value::<InterfaceDraft>(body)
            .unwrap()
            .parse()
    }

    #[test]
    fn a_whole_interface_is_read() {
        let new = draft(json!({
            "name": "wg0", "network": 7, "endpoint": "[2001:db8::1]:51820",
            "ip_pool_v4": "10.8.1.0/24", "address_v4": "10.8.1.1", "address_v6": "fd00::1",
        }))
        .unwrap();

        assert_eq!(new.network.id(), Some(7));
        assert_eq!(new.ip_pools, ["10.8.1.0/24".parse().unwrap()]);
        assert_eq!(new.addresses.len(), 2);
        assert_eq!(new.drift_policy, DriftPolicy::Report);
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let problem = draft(json!({
            "name": "a/b", "network": "a b", "endpoint": "fra-1", "ip_pool_v4": "10.8.1.1/24",
            "ip_pool_v6": "10.8.0.0/16", "address_v4": "fd00::1", "address_v6": "x",
        }))
        .unwrap_err();

        let text = problem.to_string();
        for field in [
            "name",
            "network",
            "endpoint",
            "ip_pool_v4",
            "ip_pool_v6",
            "address_v4",
            "address_v6",
        ] {
            assert!(text.contains(&format!("{field} ")), "{field}: {text}");
        }
    }

    #[test]
    fn null_takes_away_and_absent_keeps() {
        let change: InterfaceChange =
            serde_json::from_value(json!({"ip_pool_v4": null, "address_v6": "fd00::1"})).unwrap();

        let changes = change.parse().unwrap();

        assert_eq!(changes.ip_pool_v4, Some(None));
        assert_eq!(changes.ip_pool_v6, None);
        assert_eq!(changes.address_v6, Some(Some("fd00::1".parse().unwrap())));
    }
}
