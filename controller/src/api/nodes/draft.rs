//! What is asked of a node, read field by field. What holds a secret here cannot be printed.

use protocol::signing::Secret;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::body::{Object, given};
use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::interfaces::InterfaceDraft;
use crate::api::problem::Problem;
use crate::api::texts;
use crate::domain::agent_url::AgentUrl;
use crate::domain::interface::NewInterface;
use crate::domain::names::Label;
use crate::domain::node::{
    Changes, Country, DEFAULT_WEIGHT, KeyId, MAX_PEERS, NewNode, TIMEOUTS_MS, WEIGHTS,
};
use crate::fleet::nodes::NewSecret;

/// A node to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "fra-1", "agent_url": "https://fra-1.example.com:8443", "interface":
    {"name": "wg0", "network": "office", "endpoint": "fra-1.example.com:51820", "ip_pool_v4": "10.8.1.0/24"}}))]
pub struct NodeDraft {
    /// A DNS label.
    #[schema(value_type = texts::Label)]
    name: String,
    /// `http://` or `https://`, a host and a port; no path.
    #[schema(value_type = texts::AgentUrl)]
    agent_url: String,
    /// What its agent is called with: at least 32 bytes, at least 8 of them different. Made up and shown once if absent.
    #[schema(value_type = Option<texts::Secret>, write_only)]
    secret: Option<String>,
    /// What the agent calls that secret; `initial` if absent.
    #[schema(value_type = Option<texts::KeyId>)]
    key_id: Option<String>,
    /// `true` if absent.
    enabled: Option<bool>,
    /// How much of the load it takes beside others; 100 if absent. 0 keeps its peers and takes no new ones.
    #[schema(minimum = 0, maximum = 1_000_000)]
    weight: Option<u32>,
    /// 0, and absent, is no limit.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    max_peers: Option<u32>,
    /// Where the machine stands, in two letters.
    #[schema(value_type = Option<texts::Country>)]
    country: Option<String>,
    /// Where whoever runs the machine has his seat.
    #[schema(value_type = Option<texts::Country>)]
    operator_country: Option<String>,
    /// A DNS label, to group nodes by.
    #[schema(value_type = Option<texts::Label>)]
    region: Option<String>,
    #[serde(default)]
    #[schema(value_type = texts::Notes)]
    notes: String,
    /// A third-party agent that cannot sign its answers: anybody on the way can forge them.
    #[serde(default)]
    legacy: bool,
    /// How long a call may take; the fleet's setting if absent.
    #[schema(minimum = 100, maximum = 120_000)]
    timeout_ms: Option<u32>,
    /// Its first interface.
    #[schema(value_type = Option<InterfaceDraft>)]
    interface: Option<Object<InterfaceDraft>>,
}

/// What to change of a node; absent keeps, null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeChange {
    #[schema(value_type = Option<texts::Label>)]
    name: Option<String>,
    #[schema(value_type = Option<texts::AgentUrl>)]
    agent_url: Option<String>,
    enabled: Option<bool>,
    #[schema(minimum = 0, maximum = 1_000_000)]
    weight: Option<u32>,
    /// 0 is no limit.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    max_peers: Option<u32>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::Country>)]
    country: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::Country>)]
    operator_country: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<texts::Label>)]
    region: Option<Option<String>>,
    #[schema(value_type = Option<texts::Notes>)]
    notes: Option<String>,
    legacy: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 100, maximum = 120_000)]
    timeout_ms: Option<Option<u32>>,
}

/// The secret that a node has now.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretDraft {
    /// Made up and shown once if absent.
    #[schema(value_type = Option<texts::Secret>, write_only)]
    secret: Option<String>,
    /// What the agent calls it; `initial` if absent.
    #[schema(value_type = Option<texts::KeyId>)]
    key_id: Option<String>,
}

impl NodeDraft {
    pub(crate) fn parse(self) -> Result<(NewNode, NewSecret, Option<NewInterface>), Problem> {
        let mut fields = Fields::default();
        let name = fields.take("name", Label::parse(&self.name));
        let agent_url = fields.take("agent_url", AgentUrl::parse(&self.agent_url));
        let secret = secret(&mut fields, self.secret, self.key_id);
        let weight = self.weight.unwrap_or(DEFAULT_WEIGHT);
        let max_peers = self.max_peers.unwrap_or(0);
        check_numbers(&mut fields, Some(weight), Some(max_peers), self.timeout_ms);
        fields.text("notes", &self.notes);
        let country = optional(&mut fields, "country", self.country, Country::parse);
        let operator_country = optional(
            &mut fields,
            "operator_country",
            self.operator_country,
            Country::parse,
        );
        let region = optional(&mut fields, "region", self.region, Label::parse);
        let interface = self
            .interface
            .and_then(|Object(interface)| interface.read(&mut fields, "interface."));
        let node = name.zip(agent_url).map(|(name, agent_url)| NewNode {
            name,
            agent_url,
            enabled: self.enabled.unwrap_or(true),
            weight,
            max_peers,
            country,
            operator_country,
            region,
            notes: self.notes,
            legacy: self.legacy,
            timeout_ms: self.timeout_ms,
        });
        let parsed = node.zip(secret);
        fields.finish(parsed.map(|(node, secret)| (node, secret, interface)))
    }
}

impl NodeChange {
    pub(crate) fn parse(self) -> Result<Changes, Problem> {
        let mut fields = Fields::default();
        check_numbers(
            &mut fields,
            self.weight,
            self.max_peers,
            self.timeout_ms.flatten(),
        );
        if let Some(notes) = &self.notes {
            fields.text("notes", notes);
        }
        let changes = Changes {
            name: optional(&mut fields, "name", self.name, Label::parse),
            agent_url: optional(&mut fields, "agent_url", self.agent_url, AgentUrl::parse),
            enabled: self.enabled,
            weight: self.weight,
            max_peers: self.max_peers,
            country: fields.take_given("country", self.country, Country::parse),
            operator_country: fields.take_given(
                "operator_country",
                self.operator_country,
                Country::parse,
            ),
            region: fields.take_given("region", self.region, Label::parse),
            notes: self.notes,
            legacy: self.legacy,
            timeout_ms: self.timeout_ms,
        };
        fields.finish(Some(changes))
    }
}

impl SecretDraft {
    pub(crate) fn parse(self) -> Result<NewSecret, Problem> {
        let mut fields = Fields::default();
        let secret = secret(&mut fields, self.secret, self.key_id);
        fields.finish(secret)
    }
}

fn secret(
    fields: &mut Fields,
    secret: Option<String>,
    key_id: Option<String>,
) -> Option<NewSecret> {
    let key_id = match key_id {
        Some(text) => fields.take("key_id", KeyId::parse(&text)),
        None => Some(KeyId::initial()),
    };
    let secret = match secret {
        Some(text) => fields.take("secret", Secret::parse(&text)).map(Some),
        None => Some(None),
    };
    key_id
        .zip(secret)
        .map(|(key_id, secret)| NewSecret { key_id, secret })
}

fn optional<T, E: Into<Mistake>>(
    fields: &mut Fields,
    field: &str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    text.and_then(|text| fields.take(field, parse(&text)))
}

fn check_numbers(
    fields: &mut Fields,
    weight: Option<u32>,
    max_peers: Option<u32>,
    timeout_ms: Option<u32>,
) {
    for (field, number, bounds) in [
        ("weight", weight, WEIGHTS),
        ("max_peers", max_peers, MAX_PEERS),
        ("timeout_ms", timeout_ms, TIMEOUTS_MS),
    ] {
        if let Some(number) = number {
            fields.number(field, number, bounds);
        }
    }
}

#[cfg(test)]
mod tests;
