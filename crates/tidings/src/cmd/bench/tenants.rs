//! What 10,000 tenants cost beside one: the same events, each accepted, matched and told to one
//! subscription of its tenant, by processor time, which other work on the machine disturbs least.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use tidings_core::permission::Role;
use tidings_core::principal::Principal;
use tidings_engine::{Engine, NewKey, SubscriptionDraft};

use super::row::{Figure, Goal, Row};
use super::{Place, Scale, events, product};

/// Callers at once.
const CALLERS: usize = 256;
/// Tenants made at once.
const MADE_AT_ONCE: usize = 256;
/// How often both are measured, in turns; the quicker of each counts.
const ROUNDS: usize = 3;

/// How long the events of one run took, each.
#[derive(Debug, Clone, Copy)]
struct Cost {
    processor: Duration,
    clock: Duration,
}

/// Measures it.
pub(super) async fn measure(scale: &Scale, place: &Place) -> anyhow::Result<Vec<Row>> {
    let (mut one, mut many): (Option<Cost>, Option<Cost>) = (None, None);
    for round in 0..ROUNDS {
        for (tenants, best) in [(1, &mut one), (scale.tenants, &mut many)] {
            let cost = run(tenants, scale.tenant_events, round, place).await?;
            *best = Some(best.map_or(cost, |best| best.quicker(cost)));
        }
    }
    let (Some(one), Some(many)) = (one, many) else { anyhow::bail!("nothing was measured") };
    let row = |what: &str, measured, limit| Row {
        name: "tenants",
        what: format!("{} tenants, {what} of an event", scale.tenants),
        measured: Figure::Time(measured),
        limit: Figure::Time(limit),
        limit_is: "the same with one tenant".to_owned(),
        goal: Goal::TimesLimit(1.2, Duration::ZERO),
    };
    Ok(vec![row("processor time", many.processor, one.processor), row("time by the clock", many.clock, one.clock)])
}

impl Cost {
    fn quicker(self, other: Self) -> Self {
        Self { processor: self.processor.min(other.processor), clock: self.clock.min(other.clock) }
    }
}

async fn run(tenants: usize, count: usize, round: usize, place: &Place) -> anyhow::Result<Cost> {
    let server = product::start(place).await?;
    let measured = publish_all(server.engine(), tenants, count, round).await;
    server.stop().await;
    std::fs::remove_dir_all(place.folder.join("data")).context("remove the data directory")?;
    measured
}

async fn publish_all(engine: &Arc<Engine>, tenants: usize, count: usize, round: usize) -> anyhow::Result<Cost> {
    let principals = Arc::new(settle(engine, tenants).await?);
    each(engine, &principals, &format!("warm-{round}"), CALLERS * 4).await?;
    let (began, spent) = (Instant::now(), processor_time()?);
    each(engine, &principals, &format!("run-{round}"), count).await?;
    let (took, spent) = (began.elapsed(), processor_time()?.saturating_sub(spent));
    let of_one = |all: Duration| all / u32::try_from(count).unwrap_or(u32::MAX).max(1);
    Ok(Cost { processor: of_one(spent), clock: of_one(took) })
}

/// A key and a subscription in each of so many tenants.
async fn settle(engine: &Arc<Engine>, tenants: usize) -> anyhow::Result<Vec<Principal>> {
    let mut principals = Vec::with_capacity(tenants);
    while principals.len() < tenants {
        let numbers = principals.len()..tenants.min(principals.len() + MADE_AT_ONCE);
        let making = numbers.map(|number| async move {
            let tenant = format!("tenant-{number}").parse().context("name a tenant")?;
            let (_, secret) = engine.create_key(NewKey::of(tenant, Role::Admin)).await.context("make a key")?;
            let principal = engine.authenticate(secret.reveal()).context("use a new key")?;
            let wish = json!({ "filter": { "category": events::CATEGORY } });
            let wish = wish.as_object().cloned().unwrap_or_default();
            engine.create_subscription(&principal, SubscriptionDraft(wish)).await.context("subscribe")?;
            anyhow::Ok(principal)
        });
        for made in futures_util::future::join_all(making).await {
            principals.push(made?);
        }
    }
    Ok(principals)
}

/// Publishes events, each of the next tenant, until they are told.
async fn each(engine: &Arc<Engine>, principals: &Arc<Vec<Principal>>, name: &str, count: usize) -> anyhow::Result<()> {
    let calling = (0..CALLERS).map(|caller| {
        let (engine, principals, name) = (engine.clone(), principals.clone(), name.to_owned());
        tokio::spawn(async move {
            for number in (caller..count).step_by(CALLERS) {
                let (lat, lon) = events::place(number);
                let body = events::quake(&format!("{name}-{number}"), lat, lon, engine.clock().now());
                product::publish(&engine, &principals[number % principals.len()], body).await?;
            }
            anyhow::Ok(())
        })
    });
    let calling: Vec<_> = calling.collect();
    for caller in calling {
        caller.await.context("call")??;
    }
    engine.decided(engine.head()).await;
    Ok(())
}

/// What this process has used of all processors, its threads together.
fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("read /proc/self/stat")?;
    // The name before may hold spaces; `utime` and `stime` are the 14th and 15th field (proc(5)).
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks: u64 = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    // USER_HZ is 100 on every platform of Linux that Rust's standard library runs on.
    Ok(Duration::from_millis(ticks * 10))
}
