//! How far an act on many peers is, carried from part to part by the page that shows it.
//!
//! It is the visitor's word: one who writes another does no more than another selection would.

use crate::domain::ids::PeerId;
use crate::web::form::Form;

#[derive(Clone, Copy)]
pub(super) struct Progress {
    pub(super) asked: usize,
    pub(super) done: usize,
    pub(super) changed: usize,
    /// The last one of the part before.
    pub(super) after: PeerId,
    /// The last one that was meant.
    pub(super) until: PeerId,
}

impl Progress {
    /// What the page before had; none if no page of ours had that.
    pub(super) fn of(form: &Form) -> Option<Self> {
        Some(Self {
            asked: form.value("asked").parse().ok()?,
            done: form.value("done").parse().ok()?,
            changed: form.value("changed").parse().ok()?,
            after: form.value("after").parse().ok()?,
            until: form.value("until").parse().ok()?,
        })
    }
}
