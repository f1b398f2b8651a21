//! Peers: made, changed, moved, isolated, deleted. Each change raises the generation of the interfaces it concerns.

pub mod bulk;
pub mod change;
pub mod create;
pub mod issue;
pub mod membership;
pub mod preview;
pub mod psk;
pub mod relocate;
pub mod seen;

pub(super) mod assign;
mod check;
mod place;
mod rows;

pub use change::{change, delete, isolate, release};
pub use create::{Made, create, create_all};
pub use relocate::relocate;
