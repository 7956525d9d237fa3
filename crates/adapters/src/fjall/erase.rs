//! Everything of a tenant taken out of the store, in steps that go on after a crash, and the look at every
//! row afterwards.
//!
//! The log comes first: what is kept under a position is found by the entry there, which stays and says
//! nothing from then on, so that positions are never given out twice. Then come the keyspaces whose keys
//! begin with the tenant, and last what was told to its people of threads of others.

mod forget;
mod scan;

use std::collections::BTreeMap;

use ::fjall::UserKey;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use tidings_core::audit::ChainEnd;
use tidings_core::id::TenantId;
use tidings_core::port::{ControlChange, Erasure, PortError, Scan, TenantRows};
use tidings_core::position::Position;
use tidings_core::tenant::{TenantState, Usage};

use super::spaces::{Owned, Space};
use super::values::{LogRow, damaged};
use super::writer::{Kind, Rows};
use super::{Core, FjallStore, Row, keys, values};

/// Rows that one step looks at.
const STEP_ROWS: usize = 4_000;
/// Rows that one step removes, about; those of a single place of the log stay together.
const STEP_REMOVED: usize = 8_000;

/// How far an erasure is, as `meta` holds it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    /// The name of the stage in hand; an unknown one, of another build, begins with the first.
    stage: String,
    /// The last key looked at there, in hexadecimal.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    after: String,
    removed: BTreeMap<String, u64>,
    audit_end: ChainEnd,
    is_done: bool,
}

/// What is gone through, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Entries of the log, with what is kept under their positions.
    Places,
    /// A keyspace whose keys begin with the tenant.
    Own(Space),
    /// What was told to the tenant's people of threads of other tenants.
    ToldElsewhere,
}

impl Stage {
    fn all() -> Vec<Self> {
        let own = Space::all().filter(|space| space.owned() == Owned::ByTenant).map(Self::Own);
        std::iter::once(Self::Places).chain(own).chain([Self::ToldElsewhere]).collect()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Places => "places",
            Self::Own(space) => space.name(),
            Self::ToldElsewhere => "told elsewhere",
        }
    }
}

/// One step: what it removes and writes, and how far the erasure is with it.
struct Step {
    rows: Rows,
    /// The last place of the log that says nothing from now on.
    last_place: Option<Position>,
    progress: Progress,
}

#[async_trait]
impl TenantRows for FjallStore {
    async fn usage(&self) -> Result<Vec<(TenantId, Usage)>, PortError> {
        self.blocking(|core| {
            let usage = core.rows_after(Space::Usage, &[]).map(|row| {
                let (key, value) = row?;
                let tenant = keys::tenant_of(&key).ok_or_else(|| damaged("what a tenant has used"))?;
                Ok((tenant, values::read_json("what a tenant has used", &value)?))
            });
            usage.collect()
        })
        .await
    }

    async fn erase_some(&self, tenant: &TenantId) -> Result<Erasure, PortError> {
        let of = tenant.clone();
        let step = self.blocking(move |core| core.erasing_step(&of)).await?;
        let erasure = step.progress.clone().into();
        if !step.rows.is_empty() {
            self.write(step.rows, Kind::Erase(step.last_place)).await?;
        }
        Ok(erasure)
    }

    async fn erase_again(&self, tenant: &TenantId) -> Result<(), PortError> {
        let of = tenant.clone();
        let progress = self.blocking(move |core| core.erasure(&of)).await?.unwrap_or_default();
        let again = Progress { stage: String::new(), after: String::new(), is_done: false, ..progress };
        let mut rows = Rows::with_capacity(1);
        rows.put(Space::Meta, keys::erasure(tenant), values::json(&again));
        self.write(rows, Kind::Erase(None)).await
    }

    async fn scan(&self, tenant: &TenantId) -> Result<Scan, PortError> {
        let tenant = tenant.clone();
        self.blocking(move |core| core.scan(&tenant)).await
    }

    async fn forget_removed(&self, step: usize) -> Result<bool, PortError> {
        self.forget_step(step).await
    }
}

impl From<Progress> for Erasure {
    fn from(progress: Progress) -> Self {
        Self { removed: progress.removed, audit_end: progress.audit_end, is_done: progress.is_done }
    }
}

impl Core {
    fn erasure(&self, tenant: &TenantId) -> Result<Option<Progress>, PortError> {
        let value = self.get(Space::Meta, &keys::erasure(tenant))?;
        value.map(|value| values::read_json("how far an erasure is", &value)).transpose()
    }

    fn erasing_step(&self, tenant: &TenantId) -> Result<Step, PortError> {
        let mut progress = match self.erasure(tenant)? {
            Some(progress) => progress,
            None => Progress { audit_end: self.audit_end(tenant)?, ..Progress::default() },
        };
        if progress.is_done {
            return Ok(Step { rows: Rows::default(), last_place: None, progress });
        }
        let stages = Stage::all();
        let at = stages.iter().position(|stage| stage.name() == progress.stage);
        let stage = stages[at.unwrap_or_default()];
        let after = if at.is_some() { unhex(&progress.after) } else { Vec::new() };
        let mut taken = Taken::default();
        let reached = match stage {
            Stage::Places => self.take_places(tenant, &after, &mut taken)?,
            Stage::Own(space) => self.take_own(tenant, space, &after, &mut taken)?,
            Stage::ToldElsewhere => self.take_told(tenant, &after, &mut taken)?,
        };
        for (space, count) in taken.counts {
            *progress.removed.entry(space.name().to_owned()).or_default() += count;
        }
        progress.after = reached.as_deref().map(hex).unwrap_or_default();
        let next = if reached.is_some() { Some(stage) } else { stages.get(at.unwrap_or_default() + 1).copied() };
        progress.is_done = next.is_none();
        next.unwrap_or(stage).name().clone_into(&mut progress.stage);
        taken.rows.put(Space::Meta, keys::erasure(tenant), values::json(&progress));
        Ok(Step { rows: taken.rows, last_place: taken.last_place, progress })
    }

    /// Takes the tenant's entries out of the log, and what is kept under their positions; the last key
    /// looked at, or none at the end.
    fn take_places(&self, tenant: &TenantId, after: &[u8], taken: &mut Taken) -> Result<Option<UserKey>, PortError> {
        let mut looked_at = 0;
        for row in self.rows_after(Space::Log, after) {
            let (key, value) = row?;
            let place = keys::ending_position(&key).ok_or_else(|| damaged("a log row"))?;
            if let Some(control) = self.is_of(tenant, place, &value)? {
                if control && let Some(subscription) = self.subscription_at(place)? {
                    taken.remove(Space::Revision, keys::revision(subscription, place).into());
                }
                for space in [Space::Event, Space::Control] {
                    let key = keys::position(place);
                    if self.get(space, &key)?.is_some() {
                        taken.remove(space, key.into());
                    }
                }
                for part in self.prefix(Space::Raw, &keys::position(place)) {
                    taken.remove(Space::Raw, part?.0);
                }
                taken.empty(place);
            }
            looked_at += 1;
            if looked_at >= STEP_ROWS || taken.count >= STEP_REMOVED {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    /// Whether an entry of the log is to go, and whether it is a control change.
    fn is_of(&self, tenant: &TenantId, place: Position, value: &[u8]) -> Result<Option<bool>, PortError> {
        let row = values::read_json::<LogRow>("a log row", value)?;
        let is_control = matches!(row, LogRow::Control { .. });
        if row.tenant() == Some(tenant) {
            return Ok(Some(is_control));
        }
        // What the operator kept of the tenant, but for the record that it is being erased.
        let is_record =
            is_control && self.record_of(place)?.is_some_and(|(of, state)| of == *tenant && !state.is_closed());
        Ok(is_record.then_some(true))
    }

    /// The tenant whose record stands at a position, if one does.
    fn record_of(&self, place: Position) -> Result<Option<(TenantId, TenantState)>, PortError> {
        match self.change_at(place)? {
            Some(ControlChange::Tenant(record)) => Ok(Some((record.id, record.state))),
            _ => Ok(None),
        }
    }

    fn change_at(&self, place: Position) -> Result<Option<ControlChange>, PortError> {
        let value = self.get(Space::Control, &keys::position(place))?;
        value.map(|value| values::read_json("a control change", &value)).transpose()
    }

    fn subscription_at(&self, place: Position) -> Result<Option<tidings_core::id::SubscriptionId>, PortError> {
        Ok(match self.change_at(place)? {
            Some(ControlChange::Subscription(subscription)) => Some(subscription.id),
            Some(ControlChange::SubscriptionDeleted(gone)) => Some(gone.id),
            _ => None,
        })
    }

    fn take_own(
        &self,
        tenant: &TenantId,
        space: Space,
        after: &[u8],
        taken: &mut Taken,
    ) -> Result<Option<UserKey>, PortError> {
        let prefix = keys::of_tenant(tenant);
        // A key may be the prefix itself.
        let rows: Box<dyn Iterator<Item = Row>> = match after {
            [] => Box::new(self.prefix(space, &prefix)),
            after => Box::new(self.rows_after(space, after)),
        };
        for row in rows {
            let (key, _) = row?;
            if !key.starts_with(prefix.as_slice()) {
                break;
            }
            taken.remove(space, key.clone());
            if taken.count >= STEP_ROWS {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }

    fn take_told(&self, tenant: &TenantId, after: &[u8], taken: &mut Taken) -> Result<Option<UserKey>, PortError> {
        let mut looked_at = 0;
        for row in self.rows_after(Space::Told, after) {
            let (key, _) = row?;
            if keys::reader_of_told(&key) == Some(tenant.as_str()) {
                taken.remove(Space::Told, key.clone());
            }
            looked_at += 1;
            if looked_at >= STEP_ROWS {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

/// What a step removes.
#[derive(Default)]
struct Taken {
    rows: Rows,
    counts: BTreeMap<Space, u64>,
    count: usize,
    last_place: Option<Position>,
}

impl Taken {
    fn remove(&mut self, space: Space, key: UserKey) {
        self.rows.remove(space, key);
        *self.counts.entry(space).or_default() += 1;
        self.count += 1;
    }

    /// Leaves a place of the log with nothing in it.
    fn empty(&mut self, place: Position) {
        self.rows.put(Space::Log, keys::position(place), values::json(&LogRow::Erased));
        *self.counts.entry(Space::Log).or_default() += 1;
        self.count += 1;
        self.last_place = Some(place);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What [`hex`] wrote; nothing of anything else.
fn unhex(text: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(pair).collect::<Option<_>>().unwrap_or_default()
}
