//! How both programs read a file of settings: every mistake at once, each with file, line and key.
//!
//! Serde would stop at the first mistake, and an operator who edits a file on a far machine has one
//! try per restart. Hence [`Section`], which goes on after a mistake and refuses keys it was never
//! asked for. Which keys there are, and what they mean together, is each program's own.

mod files;
mod mistake;
mod secret;
mod section;

pub use files::{read_private, read_public, read_settings};
pub use mistake::{Mistake, Mistakes};
pub use secret::judge as judge_secret;
pub use section::{At, Section, Text, path, socket_address, table, text, whole, wrong_type};

#[cfg(test)]
mod tests;
