//! What the controller decides, apart from the world: values in, values out.
//!
//! No I/O, no clock, no chance, no log. Time and random bytes are parameters.

pub mod actor;
pub mod address;
pub mod adoption;
pub mod agent_url;
pub mod api_key;
pub mod audit;
pub mod backoff;
pub mod captcha;
pub mod config_text;
pub mod drift;
pub mod endpoint;
pub mod ids;
pub mod interface;
pub mod live;
pub mod names;
pub mod network;
pub mod node;
pub mod oidc;
pub mod password;
pub mod peer;
pub mod peer_session;
pub mod placement;
pub mod pool;
pub mod profile;
pub mod reach;
pub mod reachability;
pub mod recovery_code;
pub mod reference;
pub mod relocation;
pub mod role;
pub mod session;
pub mod status;
pub mod throttle;
pub mod tier;
pub mod token;
pub mod totp;
pub mod traffic;
pub mod user;
pub mod watch;
pub mod webhook;
