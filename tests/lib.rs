//! What the tests in `it` share with others: checks with the fuzz targets in `fuzz`, a simulated fleet
//! with benchmarks and with whoever starts `fleet-simulator`. The folder's other code is tests.

#![expect(
    clippy::unwrap_used,
    reason = "a check that panics has found something, which is what it is for"
)]

pub mod fuzzing;
pub mod simulator;
