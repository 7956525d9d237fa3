#![doc = include_str!("../README.md")]

mod app;
mod server;
mod tls;
mod router;
mod operation;
mod origin;
mod context;
mod headers;
mod cors;
mod auth;
mod session;
mod quota;
pub mod limits;
mod body;
mod query;
mod pages;
mod negotiate;
mod precondition;
mod frames;
mod error;
mod fields;
mod form;
mod openapi;
mod route;

pub use app::{App, Options};
pub use cors::{CorsOrigin, CorsOriginError};
pub use origin::{Network, NetworkError};
pub use router::router;
pub use server::{serve, serve_tls};
pub use tls::{Tls, TlsError, TlsFiles};
