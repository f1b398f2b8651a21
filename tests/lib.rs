//! What the tests in `it` share with the fuzz targets in `fuzz`; the folder's other code is tests.

#![expect(
    clippy::unwrap_used,
    reason = "a check that panics has found something, which is what it is for"
)]

pub mod fuzzing;
