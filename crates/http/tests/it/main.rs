//! The interface as its callers see it: a real server on a free port over ports in memory.

mod app;
mod client;
mod publish;
mod reads;
mod subscriptions;
mod dead_letters;
mod streams;
mod access;
mod permissions;
mod roles;
mod hooks;
mod sso;
mod service_accounts;
mod tenants;
mod accounts;
mod audit;
mod browser;
mod health;
mod hostile;
mod transport;
mod certificates;
mod tls;
mod documents;
mod limits;
mod oauth;
