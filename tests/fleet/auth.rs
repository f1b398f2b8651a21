//! The gate from outside: a small application behind it, on a real port and a real database.

mod bearer;
mod bed;
mod named;
mod signed;
mod standing;
