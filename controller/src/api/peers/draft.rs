//! What is asked of a peer, read field by field.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use protocol::key::KeyError;
use protocol::{PresharedKey, PrivateKey, PublicKey};
use serde::Deserialize;
use utoipa::ToSchema;

use super::directory::Directory;
use crate::api::body::given;
use crate::api::fields::Fields;
use crate::api::fields::mistake::Mistake;
use crate::api::problem::Problem;
use crate::api::reference::IdOrName;
use crate::api::texts;
use crate::domain::address::prefix;
use crate::domain::ids::UserId;
use crate::domain::names::Label;
use crate::domain::peer::{self, NewPeer, PeerChanges, PeerKind, Psk};
use crate::domain::reference::Reference;
use crate::fleet::peers::issue;

/// A peer to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"network": "office", "name": "phone-of-ada"}))]
pub struct PeerDraft {
    /// An id or a name.
    network: IdOrName,
    /// Which nodes may have it: an id or a name. Any that serves the network if absent.
    pool: Option<IdOrName>,
    /// This node and no other: an id or a name.
    node: Option<IdOrName>,
    /// A DNS label.
    #[schema(value_type = texts::Label)]
    name: String,
    /// Base64. Absent: a key pair is made, and the answer shows the private key, this once.
    #[schema(value_type = Option<texts::Key>)]
    public_key: Option<String>,
    kind: Option<PeerKind>,
    /// The id of a user.
    #[schema(value_type = Option<i64>)]
    owner: Option<UserId>,
    #[serde(default)]
    #[schema(value_type = Vec<texts::Tag>)]
    tags: Vec<String>,
    #[serde(default)]
    #[schema(value_type = texts::Notes)]
    notes: String,
    /// Seconds, in its configuration; 0 is off, as the network says if absent.
    #[schema(maximum = 65535)]
    keepalive: Option<u16>,
    /// The next free one if absent.
    #[schema(format = Ipv4)]
    address_v4: Option<String>,
    #[schema(format = Ipv6)]
    address_v6: Option<String>,
    /// Prefixes behind it, host bits zero.
    #[serde(default)]
    #[schema(value_type = Vec<texts::Prefix>)]
    routes: Vec<String>,
    /// A fresh one if absent.
    preshared_key: Option<PskDraft>,
    enabled: Option<bool>,
    expires_at: Option<DateTime<Utc>>,
}

/// What to change of a peer; absent keeps, null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerChange {
    #[schema(value_type = Option<texts::Label>)]
    name: Option<String>,
    /// The key that it had is removed wherever it is seen.
    #[schema(value_type = Option<texts::Key>)]
    public_key: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    owner: Option<Option<UserId>>,
    #[schema(value_type = Option<Vec<texts::Tag>>)]
    tags: Option<Vec<String>>,
    #[schema(value_type = Option<texts::Notes>)]
    notes: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u16>, maximum = 65535)]
    keepalive: Option<Option<u16>>,
    /// All of them from now on.
    #[schema(value_type = Option<Vec<texts::Prefix>>)]
    routes: Option<Vec<String>>,
    preshared_key: Option<PskDraft>,
    enabled: Option<bool>,
    /// A time that is past takes it off its nodes at once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<DateTime<Utc>>>,
}

/// `true`: a fresh one for each node; `false`: none; or one in base64.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub enum PskDraft {
    Wanted(bool),
    Given(String),
}

/// A peer as it is asked for, and its private key where that was made here.
pub(crate) struct Row {
    pub peer: NewPeer,
    pub private_key: Option<PrivateKey>,
}

impl PeerDraft {
    /// Reads the draft; what it names is looked up. All its mistakes are told at once.
    pub(crate) async fn read(
        self,
        directory: &mut Directory<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<Row, Problem>, sqlx::Error> {
        let mut fields = Fields::default();
        let network = match reference(&mut fields, "network", Some(&self.network)) {
            Some(wanted) => {
                let found = directory.network(&wanted).await?;
                known(&mut fields, "network", &wanted, found)
            }
            None => None,
        };
        let pool = match reference(&mut fields, "pool", self.pool.as_ref()) {
            Some(wanted) => {
                let found = directory.pool(&wanted).await?;
                known(&mut fields, "pool", &wanted, found)
            }
            None => None,
        };
        let node = match reference(&mut fields, "node", self.node.as_ref()) {
            Some(wanted) => {
                let found = directory.node(&wanted).await?;
                known(&mut fields, "node", &wanted, found)
            }
            None => None,
        };
        let name = fields.take("name", Label::parse(&self.name));
        let addresses = addresses(&mut fields, self.address_v4, self.address_v6);
        let tags = fields.take("tags", peer::parse_tags(self.tags));
        let routes = routes(&mut fields, &self.routes);
        fields.text("notes", &self.notes);
        let psk = match self.preshared_key {
            Some(wanted) => fields.take("preshared_key", wanted.read()),
            None => Some(Psk::Fresh),
        };
        if self.expires_at.is_some_and(|at| at <= now) {
            fields.mistake("expires_at", Mistake::new("past", "is past"));
        }
        let (public_key, private_key) = match &self.public_key {
            Some(text) => (fields.take("public_key", PublicKey::parse(text)), None),
            None => {
                let private_key = issue::private_key();
                (Some(private_key.public_key()), Some(private_key))
            }
        };
        let peer = (|| {
            Some(NewPeer {
                network: network?,
                pool,
                node,
                name: name?,
                public_key: public_key?,
                kind: self.kind.unwrap_or(PeerKind::Static),
                owner: self.owner,
                tags: tags?,
                notes: self.notes,
                keepalive_s: self.keepalive,
                addresses,
                routes,
                psk: psk?,
                enabled: self.enabled.unwrap_or(true),
                expires_at: self.expires_at,
            })
        })();
        let row = |peer| Row { peer, private_key };
        Ok(fields.finish(peer).map(row))
    }
}

impl PeerChange {
    pub(crate) fn parse(self) -> Result<PeerChanges, Problem> {
        let mut fields = Fields::default();
        let name = self.name.as_deref().map(Label::parse);
        let key = self.public_key.as_deref().map(PublicKey::parse);
        let psk = self.preshared_key.map(PskDraft::read);
        if let Some(notes) = &self.notes {
            fields.text("notes", notes);
        }
        let changes = PeerChanges {
            name: name.and_then(|name| fields.take("name", name)),
            public_key: key.and_then(|key| fields.take("public_key", key)),
            owner: self.owner,
            tags: self
                .tags
                .and_then(|tags| fields.take("tags", peer::parse_tags(tags))),
            notes: self.notes,
            keepalive_s: self.keepalive,
            routes: self.routes.map(|texts| routes(&mut fields, &texts)),
            psk: psk.and_then(|psk| fields.take("preshared_key", psk)),
            enabled: self.enabled,
            expires_at: self.expires_at,
        };
        fields.finish(Some(changes))
    }
}

impl PskDraft {
    fn read(self) -> Result<Psk, KeyError> {
        match self {
            Self::Wanted(true) => Ok(Psk::Fresh),
            Self::Wanted(false) => Ok(Psk::None),
            Self::Given(text) => PresharedKey::parse(&text).map(Psk::Given),
        }
    }
}

impl fmt::Debug for PskDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PskDraft(***)")
    }
}

pub(super) fn reference(
    fields: &mut Fields,
    field: &str,
    given: Option<&IdOrName>,
) -> Option<Reference> {
    fields.take(field, given?.parse())
}

pub(super) fn known<T>(
    fields: &mut Fields,
    field: &str,
    wanted: &Reference,
    found: Option<T>,
) -> Option<T> {
    let missing = || {
        let what = format!("is {wanted}, and there is no such {field}");
        Mistake::new("nothing_so_named", what).with("wanted", wanted.to_string())
    };
    fields.take(field, found.ok_or_else(missing))
}

fn addresses(fields: &mut Fields, v4: Option<String>, v6: Option<String>) -> Vec<IpAddr> {
    let v4 = v4.map(|text| text.parse::<Ipv4Addr>().map(IpAddr::from));
    let v6 = v6.map(|text| text.parse::<Ipv6Addr>().map(IpAddr::from));
    let v4 = v4.and_then(|parsed| {
        fields.take(
            "address_v4",
            parsed.map_err(|_| {
                Mistake::new(
                    "not_a_v4_address",
                    "is not an IPv4 address, such as 10.8.0.7",
                )
            }),
        )
    });
    let v6 = v6.and_then(|parsed| {
        fields.take(
            "address_v6",
            parsed.map_err(|_| {
                Mistake::new(
                    "not_a_v6_address",
                    "is not an IPv6 address, such as fd00:8::7",
                )
            }),
        )
    });
    v4.into_iter().chain(v6).collect()
}

fn routes(fields: &mut Fields, texts: &[String]) -> Vec<IpNet> {
    let mut routes: Vec<IpNet> = texts
        .iter()
        .filter_map(|text| fields.take("routes", prefix::parse_route(text)))
        .collect();
    routes.sort_unstable();
    routes.dedup();
    routes
}
