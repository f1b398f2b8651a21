#![doc = include_str!("../README.md")]

pub mod cidr;
pub mod digest;
pub mod endpoint;
pub mod interface_name;
pub mod key;
pub mod observed;
pub mod peer;
pub mod rotation;
pub mod signing;
pub mod target;
pub mod wire;

pub use cidr::Cidr;
pub use digest::Digest;
pub use endpoint::Endpoint;
pub use interface_name::InterfaceName;
pub use key::{PresharedKey, PrivateKey, PublicKey};
pub use peer::{AllowedIps, PeerConfig};
