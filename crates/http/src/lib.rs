#![doc = include_str!("../README.md")]

mod app;
mod server;
mod router;
mod operation;
mod origin;
mod context;
mod auth;
mod session;
mod quota;
mod body;
mod query;
mod pages;
mod negotiate;
mod precondition;
mod frames;
mod error;
mod openapi;
mod route;

pub use app::{App, Options};
pub use origin::{Network, NetworkError};
pub use router::router;
pub use server::serve;
