//! The controller's client of the agents: against the agent itself, and against whatever else may
//! answer at its address.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use controller::agent::{Clients, Settings, Target};
use controller::domain::agent_url::AgentUrl;
use controller::domain::ids::NodeId;
use protocol::signing::Secret;
use protocol::wire::PeerSpec;
use protocol::{Cidr, InterfaceName, PrivateKey, PublicKey};

mod calls;
mod diagnosis;
mod forgeries;
pub(crate) mod node;
mod outages;
mod refusals;
mod rotation;
mod secrecy;
pub(crate) mod stranger;
mod times;
pub(crate) mod tls;

use node::Node;
use stranger::{Seen, Stranger};

pub(crate) const SECRET: &str = "correct horse battery staple 0123456789";

fn secret() -> Secret {
    Secret::parse(SECRET).unwrap()
}

fn clients() -> Clients {
    Clients::new(&Settings::default()).unwrap()
}

fn target(url: &str) -> Target {
    Target {
        node: NodeId(1),
        url: AgentUrl::parse(url).unwrap(),
        secret: Arc::new(secret()),
        key_id: None,
        legacy: false,
        timeout: Duration::from_secs(10),
    }
}

fn wg0() -> InterfaceName {
    InterfaceName::parse("wg0").unwrap()
}

fn private_key(n: u32) -> PrivateKey {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    PrivateKey::from_random(bytes)
}

fn key(n: u32) -> PublicKey {
    private_key(n).public_key()
}

fn peer(n: u32, ips: &[&str]) -> PeerSpec {
    PeerSpec {
        public_key: key(n),
        allowed_ips: ips.iter().map(|ip| Cidr::parse(ip).unwrap()).collect(),
        preshared_key: None,
        persistent_keepalive: None,
        endpoint: None,
        expires_at: None,
    }
}

fn ip(n: u32) -> String {
    format!("10.9.{}.{}/32", n / 256, n % 256)
}

fn peers(numbers: impl IntoIterator<Item = u32>) -> Vec<PeerSpec> {
    numbers.into_iter().map(|n| peer(n, &[&ip(n)])).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test compares with the time it is"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}
