//! What goes wrong in a fleet, one fault at a time: nothing is lost, nothing is there twice, and all is as it
//! should be again without anybody's doing.

mod agents;
mod answers;
mod clocks;
mod controllers;
mod databases;
mod devices;
mod drift;
mod plain;
mod readdressing;
