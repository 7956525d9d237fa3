//! A server in this process, on a folder of its own.

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use tidings_core::envelope::{Coordinate, Envelope};
use tidings_core::id::EventId;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_core::rejection::Outcome;
use tidings_engine::{Engine, NewKey};

use super::Place;
use crate::local::{self, Local};

/// Keys are made so many at a time, so that they share a commit.
const KEYS_AT_ONCE: usize = 256;

/// Starts one.
///
/// # Errors
/// When the folder cannot be used.
pub(super) async fn start(place: &Place) -> anyhow::Result<Local> {
    let global = crate::config::Global { data: place.folder.join("data"), ..place.global.clone() };
    local::start(&global, ([127, 0, 0, 1], 0).into(), tidings_adapters::fjall::Options::default()).await
}

/// Its Admin.
///
/// # Errors
/// When it has none, which a new folder has.
pub(super) fn admin(server: &Local) -> anyhow::Result<Principal> {
    server.admin().context("find the Admin of a new server")
}

/// A body on its way in, as the HTTP interface makes it.
pub(super) fn envelope(engine: &Engine, principal: &Principal, body: Vec<u8>) -> Envelope {
    Envelope {
        bytes: Bytes::from(body),
        media_type: Some("application/json".to_owned()),
        headers: Vec::new(),
        source: "api".to_owned(),
        tenant: principal.tenant.clone(),
        authority: principal.authority.clone(),
        coordinate: Coordinate::Document,
        first_item: 0,
        received: engine.clock().now(),
        correlation_id: "bench".to_owned(),
    }
}

/// Publishes one event, which must be new; its id.
///
/// # Errors
/// When it is not accepted.
pub(super) async fn publish(engine: &Engine, principal: &Principal, body: Vec<u8>) -> anyhow::Result<EventId> {
    let outcomes = engine.publish(vec![envelope(engine, principal, body)]).await.context("publish an event")?;
    match outcomes.first().map(Vec::as_slice) {
        Some([Outcome::Accepted(id)]) => Ok(*id),
        other => anyhow::bail!("an event was not accepted: {other:?}"),
    }
}

/// Keys of so many users of the Admin's tenant.
///
/// # Errors
/// When they cannot be stored.
pub(super) async fn keys(engine: &Engine, admin: &Principal, count: usize) -> anyhow::Result<Vec<String>> {
    let mut keys = Vec::with_capacity(count);
    while keys.len() < count {
        let numbers = keys.len()..count.min(keys.len() + KEYS_AT_ONCE);
        let making = numbers.map(|number| {
            let user_name = Some(format!("reader-{number}").parse().expect("letters, a hyphen and digits"));
            engine.create_key(NewKey { user_name, ..NewKey::of(admin.tenant.clone(), Role::Viewer) })
        });
        for made in futures_util::future::join_all(making).await {
            keys.push(made.context("make a key")?.1.reveal().to_owned());
        }
    }
    Ok(keys)
}

/// Bytes of memory that a process holds now.
///
/// # Errors
/// When the system does not tell.
pub(super) fn resident_bytes(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(Path::new(&path)).with_context(|| format!("read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("find VmRSS in {path}"))? * 1_024)
}
