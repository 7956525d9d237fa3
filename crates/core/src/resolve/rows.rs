//! Thread rows as they stand: those of the store, under those that this step changes.

use std::collections::{BTreeMap, HashMap};

use crate::id::{EventId, TenantId, ThreadId};
use crate::incident::{REACH_SECONDS, REPORTS_MAX, Report, Reporter};
use crate::port::{Commit, IdentityRow, LogEntry, PortError, ThreadRow, ThreadRows};
use crate::position::Position;

/// Joined threads are followed at most this far; a survivor takes over all its losers, so a
/// longer way means damage.
const MERGES_FOLLOWED: usize = 64;
/// Answers of the store about reports that are kept for others of the same step.
const ANSWERS_MAX: usize = 64;

/// The rows that an owner reads and changes: an overlay over the store.
///
/// It may live over several batches while their commits are under way; when a commit fails, it is
/// thrown away with everything it held.
pub struct Threads<'a> {
    store: &'a dyn ThreadRows,
    head: Position,
    identities: HashMap<(TenantId, EventId), IdentityRow>,
    aliases: HashMap<(TenantId, [u8; 16]), ThreadId>,
    threads: HashMap<(TenantId, ThreadId), ThreadRow>,
    reports: BTreeMap<(TenantId, i64, ThreadId), Report>,
    /// What the store said of reports around a second. A batch of quakes asks the same again and
    /// again, and the store does not change within a step.
    answers: HashMap<Question, Vec<Report>>,
}

/// Whose reports around which second: the tenant, the second, the issuer and whether theirs alone.
type Question = (TenantId, i64, String, bool);

impl std::fmt::Debug for Threads<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").field("head", &self.head).finish_non_exhaustive()
    }
}

impl<'a> Threads<'a> {
    /// The store's rows, with the log ending at `head`.
    pub fn new(store: &'a dyn ThreadRows, head: Position) -> Self {
        Self {
            store,
            head,
            identities: HashMap::new(),
            aliases: HashMap::new(),
            threads: HashMap::new(),
            reports: BTreeMap::new(),
            answers: HashMap::new(),
        }
    }

    /// The position after the last one given out.
    pub(super) fn next_position(&mut self) -> Position {
        self.head = self.head.plus(1);
        self.head
    }

    pub(super) fn identity(&self, tenant: &TenantId, event: EventId) -> Result<Option<IdentityRow>, PortError> {
        match self.identities.get(&(tenant.clone(), event)) {
            Some(row) => Ok(Some(*row)),
            None => self.store.identity(tenant, event),
        }
    }

    fn thread(&self, tenant: &TenantId, thread: ThreadId) -> Result<Option<ThreadRow>, PortError> {
        match self.threads.get(&(tenant.clone(), thread)) {
            Some(row) => Ok(Some(row.clone())),
            None => self.store.thread(tenant, thread),
        }
    }

    fn alias(&self, tenant: &TenantId, name: &[u8; 16]) -> Result<Option<ThreadId>, PortError> {
        match self.aliases.get(&(tenant.clone(), *name)) {
            Some(thread) => Ok(Some(*thread)),
            None => self.store.alias(tenant, name),
        }
    }

    /// True where a name is known.
    pub(super) fn has_name(&self, tenant: &TenantId, name: &[u8; 16]) -> Result<bool, PortError> {
        self.alias(tenant, name).map(|thread| thread.is_some())
    }

    /// The thread that a name leads to, after every join.
    pub(super) fn find(&self, tenant: &TenantId, name: &[u8; 16]) -> Result<Option<ThreadRow>, PortError> {
        let mut next = self.alias(tenant, name)?;
        for _ in 0..MERGES_FOLLOWED {
            let Some(thread) = next else { return Ok(None) };
            let Some(row) = self.thread(tenant, thread)? else { return Ok(None) };
            if row.merged_into.is_none() {
                return Ok(Some(row));
            }
            next = row.merged_into;
        }
        Ok(None)
    }

    pub(super) fn set_identity(&mut self, tenant: &TenantId, event: EventId, row: IdentityRow) {
        self.identities.insert((tenant.clone(), event), row);
    }

    /// Names a thread; a name that leads there already costs no row.
    pub(super) fn set_alias(&mut self, tenant: &TenantId, name: [u8; 16], thread: ThreadId) -> Result<(), PortError> {
        if self.alias(tenant, &name)? != Some(thread) {
            self.aliases.insert((tenant.clone(), name), thread);
        }
        Ok(())
    }

    pub(super) fn set_thread(&mut self, row: ThreadRow) {
        self.threads.insert((row.tenant.clone(), row.id), row);
    }

    /// Reports of about the same time as this one, each thread's last within a second.
    pub(super) fn reports(&mut self, near: &Report, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError> {
        let (from, to) = (near.second() - REACH_SECONDS, near.second() + REACH_SECONDS);
        let mut found = self.stored_reports(near, reporter)?;
        let key = |second, byte| (near.tenant.clone(), second, ThreadId::from_bytes([byte; 16]));
        let newer = self.reports.range(key(from, 0)..=key(to, u8::MAX)).map(|(_, report)| report);
        for newer in newer.filter(|report| reporter.asks_for(report)).take(REPORTS_MAX) {
            let of = |report: &Report| (report.second(), report.thread);
            found.retain(|report| of(report) != of(newer));
            found.push(newer.clone());
        }
        Ok(found)
    }

    fn stored_reports(&mut self, near: &Report, reporter: Reporter<'_>) -> Result<Vec<Report>, PortError> {
        let (issuer, theirs_alone) = match reporter {
            Reporter::OtherThan(issuer) => (issuer, false),
            Reporter::Only(issuer) => (issuer, true),
        };
        let second = near.second();
        let question = (near.tenant.clone(), second, issuer.to_owned(), theirs_alone);
        if let Some(answer) = self.answers.get(&question) {
            return Ok(answer.clone());
        }
        let answer = self.store.reports(&near.tenant, second - REACH_SECONDS, second + REACH_SECONDS, reporter)?;
        if self.answers.len() == ANSWERS_MAX {
            self.answers.clear();
        }
        self.answers.insert(question, answer.clone());
        Ok(answer)
    }

    pub(super) fn set_report(&mut self, report: Report) {
        self.reports.insert((report.tenant.clone(), report.second(), report.thread), report);
    }

    /// The changes since the last call, in an order that hangs on nothing but them.
    pub(super) fn take_changes(&mut self, entries: Vec<LogEntry>) -> Commit {
        let mut identities: Vec<_> =
            self.identities.drain().map(|((tenant, event), row)| (tenant, event, row)).collect();
        identities.sort_by_key(|(_, event, row)| (row.position, *event));
        let mut aliases: Vec<_> = self.aliases.drain().map(|((tenant, name), thread)| (tenant, name, thread)).collect();
        aliases.sort();
        let mut threads: Vec<_> = self.threads.drain().map(|(_, row)| row).collect();
        threads.sort_by_key(|row| (row.first, row.id));
        let reports = std::mem::take(&mut self.reports).into_values().collect();
        // From here on the store may hold more.
        self.answers.clear();
        Commit { entries, identities, aliases, threads, reports, ..Commit::default() }
    }
}
