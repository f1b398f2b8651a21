//! Behaviour of the whole, seen from outside.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what it is for"
)]

mod vectors;
