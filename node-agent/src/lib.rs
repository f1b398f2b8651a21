//! The agent that runs on every node and makes a WireGuard interface what it was told to be.

pub mod device;
