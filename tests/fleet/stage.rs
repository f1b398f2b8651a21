//! What the tests of the controller stand on: a database, a controller on it, agents, and a caller who signs.

mod agent;
mod api;
mod controller;
mod folders;
mod operations;
mod page;
mod postgres;
mod program;
mod scene;
mod served;
mod visitor;
mod wire;

pub(crate) use agent::{Agent, now, set_up};
pub(crate) use api::{Answer, Api};
pub(crate) use controller::{QUICK, Running};
pub(crate) use folders::folder;
pub(crate) use operations::{Operation, operations, writes};
pub(crate) use page::Page;
pub(crate) use postgres::{Own, TestDb, address, fresh};
pub(crate) use scene::{Scene, eventually, key, peer};
pub(crate) use served::{NO_AUTHORITY, Served};
pub(crate) use visitor::{PHRASE, Visitor, user};
pub(crate) use wire::Reply;
