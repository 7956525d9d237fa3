//! A look at every row of every keyspace.

use std::iter::Peekable;

use tidings_core::id::TenantId;
use tidings_core::port::{ControlChange, PortError, Scan};

use super::super::spaces::{Owned, Space};
use super::super::values::{self, LogRow};
use super::super::{Core, Row, keys};

/// Bytes of a position at the beginning of a key.
const PLACE_BYTES: usize = 16;

impl Core {
    /// Counts the tenant's rows that are left, and those under places of the log that say nothing.
    pub(super) fn scan(&self, tenant: &TenantId) -> Result<Scan, PortError> {
        let mut scan = Scan::default();
        for space in Space::all() {
            let mut places = Places(self.rows_after(Space::Log, &[]).peekable());
            for row in self.rows_after(space, &[]) {
                let (key, value) = row?;
                scan.scanned += 1;
                let is_left = match space.owned() {
                    Owned::ByTenant => is_of_key(space, tenant, &key),
                    Owned::Log => tenant_of_log(&value)?.as_ref() == Some(tenant),
                    Owned::ByPlace => is_of_value(space, tenant, &value)? || !places.say(&key)?,
                    Owned::BySubscription => self.is_without_place(&key)?,
                    Owned::ByServer => false,
                };
                if is_left {
                    *scan.found.entry(space.name().to_owned()).or_default() += 1;
                }
            }
        }
        Ok(scan)
    }

    /// True where the place that a key ends with says nothing.
    fn is_without_place(&self, key: &[u8]) -> Result<bool, PortError> {
        let Some(place) = keys::ending_position(key) else { return Ok(true) };
        let Some(entry) = self.get(Space::Log, &keys::position(place))? else { return Ok(true) };
        Ok(tenant_of_log(&entry)?.is_none())
    }
}

fn is_of_key(space: Space, tenant: &TenantId, key: &[u8]) -> bool {
    let is_told = space == Space::Told && keys::reader_of_told(key) == Some(tenant.as_str());
    is_told || key.starts_with(keys::of_tenant(tenant).as_slice())
}

/// What a row under a position says itself.
fn is_of_value(space: Space, tenant: &TenantId, value: &[u8]) -> Result<bool, PortError> {
    Ok(match space {
        Space::Event => values::read_event_tenant(value)? == *tenant,
        Space::Control => match values::read_json("a control change", value)? {
            ControlChange::Tenant(record) => record.id == *tenant && !record.state.is_closed(),
            change => change.tenant() == tenant,
        },
        _ => false,
    })
}

/// Whose an entry of the log is; nobody's where it says nothing.
fn tenant_of_log(value: &[u8]) -> Result<Option<TenantId>, PortError> {
    values::read_json::<LogRow>("a log row", value).map(LogRow::into_tenant)
}

/// The places of the log, gone through beside rows that are kept under them.
struct Places<I: Iterator<Item = Row>>(Peekable<I>);

impl<I: Iterator<Item = Row>> Places<I> {
    /// True where the place that a key begins with says something. Keys come in order.
    fn say(&mut self, key: &[u8]) -> Result<bool, PortError> {
        let place = &key[..PLACE_BYTES.min(key.len())];
        let is_before = |row: &Row| row.as_ref().is_ok_and(|(at, _)| at.as_ref() < place);
        while self.0.next_if(is_before).is_some() {}
        match self.0.peek() {
            Some(Ok((at, value))) if at.as_ref() == place => Ok(tenant_of_log(value)?.is_some()),
            Some(Ok(_)) | None => Ok(false),
            Some(Err(_)) => match self.0.next() {
                Some(Err(fault)) => Err(fault),
                _ => Ok(false),
            },
        }
    }
}
