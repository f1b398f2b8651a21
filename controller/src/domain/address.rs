//! Addresses: which prefixes are taken on, which hosts of them may be given, and which comes next.
//!
//! Who holds what, and who wins a race, is settled by the database; here is only what is decided
//! once its answer is known.

pub mod parts;
pub mod prefix;
pub mod range;
pub mod rest;
pub mod search;
pub mod suggest;
pub mod usage;
