//! REST, WebSocket, SSE, OpenAPI and the built-in page, over [`tidings_engine::Engine`].
//!
//! Every resource is one file in `route/` that lists its operations; the router, the permissions,
//! the metrics' labels and the OpenAPI document are all made of those lists.

mod app;
mod server;
mod router;
mod operation;
mod context;
mod auth;
mod session;
mod quota;
mod body;
mod query;
mod pages;
mod negotiate;
mod frames;
mod error;
mod openapi;
mod route;

pub use app::{App, Options};
pub use router::router;
pub use server::serve;
