//! Keeps a mistake in intent from emptying a node.
//!
//! It guards peers that nobody named, which are removed for being unknown. Keys that were forbidden one
//! by one are meant, and pass.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Removals that were not made because they were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldBack {
    /// How many peers would have gone: allow as many, and they go.
    pub count: usize,
    /// How many the interface holds.
    pub held: usize,
}

/// Stops more than ten and more than a fifth of what is held, and to leave nothing at all, unless
/// somebody knows the count.
pub(super) fn stops(
    count: usize,
    held: usize,
    leaves_nothing: bool,
    allow_removals: Option<usize>,
) -> Option<HeldBack> {
    let is_mass = count > 10.max(held / 5) || (count > 0 && leaves_nothing);
    let is_meant = allow_removals.is_some_and(|allowed| allowed >= count);
    (is_mass && !is_meant).then_some(HeldBack { count, held })
}
