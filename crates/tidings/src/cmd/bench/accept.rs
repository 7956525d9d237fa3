//! Durable accept: events through engine and store, one a call, by 1, 16 and 256 callers, beside a
//! loop that appends the same bytes and syncs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tidings_core::principal::Principal;
use tidings_engine::Engine;

use super::row::{Figure, Goal, Row};
use super::times::{Times, rate};
use super::{Place, Scale, events, limit, product};

/// Callers at once.
const CALLERS: [usize; 3] = [1, 16, 256];
/// Sixteen callers bring eight times as many events as one, and so on.
const MORE: usize = 8;

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut count = scale.accepts;
    for callers in CALLERS {
        let server = product::start(place).await?;
        let admin = product::admin(&server)?;
        let measured = one(server.engine(), &admin, callers, count.max(callers), place).await;
        server.stop().await;
        std::fs::remove_dir_all(place.folder.join("data")).context("remove the data directory")?;
        rows.extend(measured?);
        count *= MORE;
    }
    Ok(rows)
}

async fn one(
    engine: &Arc<Engine>,
    admin: &Principal,
    callers: usize,
    count: usize,
    place: &Place,
) -> anyhow::Result<Vec<Row>> {
    let each = count / callers;
    call(engine, admin, "warm", callers, each.div_ceil(10)).await?;
    let bytes = kept_bytes(engine, admin).await? * callers;
    let syncs = (each / 2).clamp(20, 500);
    let mut limit = limit::append_and_sync(&place.folder, bytes, syncs).await?;
    let (times, elapsed) = call(engine, admin, "run", callers, each).await?;
    limit.join(&limit::append_and_sync(&place.folder, bytes, syncs).await?);
    let limit_is = format!("append {callers} x {} bytes, fdatasync", bytes / callers);
    let mut rows = vec![Row {
        name: "accept",
        what: format!("{callers} caller(s), durable"),
        measured: Figure::PerSecond(rate(callers * each, elapsed)),
        limit: Figure::PerSecond(rate(callers, limit.mean())),
        limit_is: limit_is.clone(),
        goal: Goal::ShareOfLimit(0.5),
    }];
    if callers == 1 {
        rows.push(Row {
            name: "accept",
            what: "1 caller, p50 of a call".to_owned(),
            measured: Figure::Time(times.at(0.5)),
            limit: Figure::Time(limit.at(0.5)),
            limit_is,
            goal: Goal::TimesLimit(1.3, Duration::ZERO),
        });
    }
    Ok(rows)
}

/// Every caller publishes one event after the other.
async fn call(
    engine: &Arc<Engine>,
    admin: &Principal,
    name: &str,
    callers: usize,
    each: usize,
) -> anyhow::Result<(Times, Duration)> {
    let began = Instant::now();
    let calling = (0..callers).map(|caller| {
        let (engine, admin, name) = (engine.clone(), admin.clone(), format!("{name}-{callers}-{caller}"));
        tokio::spawn(async move {
            let mut times = Times::new();
            for number in 0..each {
                let (lat, lon) = events::place(number * 7 + caller);
                let body = events::quake(&format!("{name}-{number}"), lat, lon, engine.clock().now());
                let began = Instant::now();
                product::publish(&engine, &admin, body).await?;
                times.add(began.elapsed());
            }
            anyhow::Ok(times)
        })
    });
    let calling: Vec<_> = calling.collect();
    let mut times = Times::new();
    for caller in calling {
        times.join(&caller.await.context("call")??);
    }
    Ok((times, began.elapsed()))
}

/// What must be kept of one event: its bytes as received, and the event.
async fn kept_bytes(engine: &Engine, admin: &Principal) -> anyhow::Result<usize> {
    let (lat, lon) = events::place(0);
    let body = events::quake("as-long-as-others", lat, lon, engine.clock().now());
    let received = body.len();
    let id = product::publish(engine, admin, body).await?;
    let event = engine.event(admin, id).await.context("read an event")?.context("find an accepted event")?;
    Ok(received + event.body.len())
}
