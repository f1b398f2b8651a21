//! Ids of others and fields that nobody offered: in bodies, forms, queries and selections. Each is tried together with
//! what did not change.

mod fields;
mod ids;
