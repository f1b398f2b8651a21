//! The tests live in `it`; this library only makes the folder a crate.
