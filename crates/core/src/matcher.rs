//! Finds, among up to millions of subscriptions, those that an event matches.
//!
//! Each conjunction of a filter stands under one key, its most selective: the cells of a nested
//! grid, strings (area code, word, sender, …), or category and severity (`plan`). An event looks
//! up its own keys (`probe`, `search`); a posting holds enough to judge most conjunctions in
//! place. The answer is that of [`Compiled::matches`] on every subscription, only sooner.
//!
//! Changes are made in place and cost microseconds. Postings of removed conjunctions are swept out
//! of a list when they are half of it.

mod arena;
mod mask;
mod sphere;
mod cell;
mod cover;
mod posting;
mod keys;
mod cells;
mod audience;
mod rule;
mod plan;
mod index;
mod probe;
mod search;
mod memory;
#[cfg(test)]
mod tests;

pub use memory::Memory;
pub use search::Scratch;

use hashbrown::HashTable;

use crate::filter::{Compiled, Subject};
use crate::id::{SubscriptionId, TenantId};

use self::arena::{Arena, push_lean};
use self::audience::Audiences;
use self::cell::Cell;
use self::index::{Index, Place, word_places};
use self::keys::KeyId;
use self::mask::Mask;
use self::plan::{Plan, Wanted};
use self::posting::{Posting, Spot};
use self::rule::{Access, KeySet, NONE, Owner, Rule, Test, Tests};

/// A subscription's number in a matcher; another one may have it after it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(u32);

impl SlotId {
    /// The number as an index into the caller's own table; numbers stay small.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What is to be found.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Which subscription.
    pub id: SubscriptionId,
    /// Whose it is.
    pub tenant: &'a TenantId,
    /// Other tenants whose events it matches.
    pub reads: &'a [TenantId],
    /// What it asks for. Only what the index needs is kept.
    pub compiled: &'a Compiled,
}

#[derive(Debug)]
struct Slot {
    id: SubscriptionId,
    /// Its first conjunction.
    rules: u32,
}

/// All subscriptions, indexed. One writer; readers share it between writes.
#[derive(Debug, Default)]
pub struct Matcher {
    slots: Arena<Slot>,
    by_id: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    rules: Arena<Rule>,
    /// By the numbers of rules: what is read most often lies close together.
    owners: Vec<Owner>,
    tests: Tests,
    index: Index,
    audiences: Audiences,
}

impl Matcher {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many subscriptions it holds.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Adds a subscription, in place of an older one of the same id.
    pub fn insert(&mut self, entry: Entry<'_>) -> SlotId {
        let slot = match self.find(entry.id) {
            Some(slot) => {
                self.clear(slot);
                slot
            }
            None => self.new_slot(entry.id),
        };
        let audience = self.audiences.number(entry.tenant, entry.reads);
        let plans = plan::plans(entry.compiled, &self.index.keys);
        let is_alone = plans.len() == 1;
        let mut first = NONE;
        for plan in plans {
            first = self.add_rule(plan, Owner { slot, audience }, first, is_alone);
        }
        self.slots.get_mut(slot).expect("the slot was just found or made").rules = first;
        SlotId(slot)
    }

    /// Takes a subscription out; false when there is none of this id.
    pub fn remove(&mut self, id: SubscriptionId) -> bool {
        let hash = hash_id(&self.hasher, id);
        let slots = self.slots.places();
        let Ok(entry) = self.by_id.find_entry(hash, |slot| slots[*slot as usize].id == id) else { return false };
        let slot = entry.remove().0;
        self.clear(slot);
        self.slots.free(slot);
        true
    }

    /// Fills `found` with every subscription that reads events of `tenant`, the event's, and of
    /// which the filter matches: each once, in no order.
    ///
    /// Who may see an event (its audience, restrictions, devices) and what a subscription wants to
    /// be told of it are not judged here.
    pub fn matching(&self, subject: &Subject<'_>, tenant: &TenantId, scratch: &mut Scratch, found: &mut Vec<SlotId>) {
        found.clear();
        if let Some(tenant) = self.audiences.tenant(tenant) {
            search::search(self, subject, tenant, scratch, found);
        }
    }

    /// The id of a subscription that was just found.
    pub fn id(&self, slot: SlotId) -> SubscriptionId {
        self.slots.places()[slot.index()].id
    }

    /// The number of a subscription.
    pub fn slot(&self, id: SubscriptionId) -> Option<SlotId> {
        self.find(id).map(SlotId)
    }

    fn find(&self, id: SubscriptionId) -> Option<u32> {
        let slots = self.slots.places();
        self.by_id.find(hash_id(&self.hasher, id), |slot| slots[*slot as usize].id == id).copied()
    }

    fn new_slot(&mut self, id: SubscriptionId) -> u32 {
        let number = self.slots.add(Slot { id, rules: NONE });
        let (slots, hasher) = (self.slots.places(), &self.hasher);
        let hash = hash_id(hasher, id);
        self.by_id.insert_unique(hash, number, |slot| hash_id(hasher, slots[*slot as usize].id));
        number
    }

    /// Adds a conjunction before `next`; answers its number.
    fn add_rule(&mut self, plan: Plan<'_>, owner: Owner, next: u32, is_alone: bool) -> u32 {
        let Plan { mask, tests: wanted, access, spot } = plan;
        let mut made: Vec<Test> = wanted.into_iter().map(|wanted| self.make_test(wanted)).collect();
        let places = places(mask, access, made.last());
        let (postings, test_count) = (places.len() as u32, made.len() as u16);
        let is_keyed = usize::from(access == Access::Keys);
        let spot_keys = if spot == Spot::Anywhere { take_keys(&mut made, is_keyed) } else { Vec::new() };
        let has_spot = spot != Spot::Anywhere || !spot_keys.is_empty();
        let is_plain = made.len() == is_keyed + usize::from(has_spot);
        let mut rest = NONE;
        for test in made.drain(1.min(made.len())..).rev() {
            rest = self.tests.prepend(test, rest);
        }
        let number = self.rules.add(Rule { mask, first: made.pop(), rest, next, postings, test_count, access });
        match self.owners.get_mut(number as usize) {
            Some(place) => *place = owner,
            None => push_lean(&mut self.owners, owner),
        }
        let mut posting = Posting::new(number, mask, spot, is_plain).alone(is_alone && is_found_once(&places));
        if !spot_keys.is_empty() {
            posting = posting.with_keys(&spot_keys);
        }
        for (place, is_interior) in places {
            self.index.add(place, if is_interior { posting.interior() } else { posting });
        }
        number
    }

    fn make_test(&mut self, wanted: Wanted<'_>) -> Test {
        let keys = &mut self.index.keys;
        match wanted {
            Wanted::Keys { field, texts, negated } => {
                let mut held: Vec<KeyId> = texts.iter().map(|text| keys.hold(field, text)).collect();
                held.sort_unstable();
                // A key named twice is held once.
                held.dedup_by(|one, other| {
                    let twice = one == other;
                    if twice {
                        keys.release(*one);
                    }
                    twice
                });
                Test::Keys { keys: KeySet::new(&held), negated }
            }
            Wanted::Near(center, radius_km) => Test::Near { center, radius_km },
            Wanted::Bbox(bounds) => Test::Bbox(Box::new(*bounds)),
            Wanted::Within(prepared, area) => Test::Within { area: prepared.clone(), cells: plan::cells_of_area(area) },
            Wanted::Literal(literal) => Test::Literal(Box::new(literal.clone())),
            Wanted::Measure(measure, negated) => Test::Measure {
                name: keys.hold(keys::Field::Measure, &measure.name),
                op: measure.op,
                value: measure.value,
                negated,
            },
        }
    }

    /// Takes out what a slot holds.
    fn clear(&mut self, slot: u32) {
        let place = self.slots.get_mut(slot).expect("only slots in use are cleared");
        let mut number = std::mem::replace(&mut place.rules, NONE);
        while number != NONE {
            number = self.remove_rule(number);
        }
    }

    /// Takes a conjunction out; answers the next of its subscription.
    fn remove_rule(&mut self, number: u32) -> u32 {
        let rule = self.rules.get_mut(number).expect("only conjunctions in use are removed");
        let places = places(rule.mask, rule.access, rule.tests(&self.tests).last());
        let (first, rest, next) = (rule.first.take(), rule.rest, rule.next);
        // One without cells is left out when all places are searched.
        rule.access = Access::Words;
        self.owners[number as usize].slot = NONE;
        if places.is_empty() {
            self.rules.free(number);
        }
        for (place, _) in places {
            let owners = &self.owners;
            for dropped in self.index.bury(place, |rule| owners[rule as usize].slot == NONE) {
                let rule = self.rules.get_mut(dropped).expect("what is listed has a number");
                rule.postings -= 1;
                if rule.postings == 0 {
                    self.rules.free(dropped);
                }
            }
        }
        let keys = &mut self.index.keys;
        let mut release = |test: &Test| test.keys().iter().for_each(|key| keys.release(*key));
        if let Some(test) = &first {
            release(test);
        }
        self.tests.remove(rest, release);
        next
    }
}

/// Every list that holds a conjunction, and whether its cell is interior. The same for the same
/// conjunction at any time.
fn places(mask: Mask, access: Access, last: Option<&Test>) -> Vec<(Place, bool)> {
    if access == Access::Words {
        return word_places(mask).into_iter().map(|place| (place, false)).collect();
    }
    let in_cell = |cell| (Place::Cell(cell), false);
    match last {
        Some(Test::Keys { keys, .. }) => keys.as_slice().iter().map(|key| (Place::Key(*key), false)).collect(),
        Some(Test::Near { center, radius_km }) => {
            plan::cells_near(*center, *radius_km).into_iter().map(in_cell).collect()
        }
        Some(Test::Bbox(bounds)) => plan::cells_in_box(bounds).into_iter().map(in_cell).collect(),
        Some(Test::Within { cells, .. }) => {
            cells.iter().map(|covering| (Place::Cell(covering.cell()), covering.is_interior())).collect()
        }
        Some(Test::Measure { .. } | Test::Literal(_)) | None => Vec::new(),
    }
}

/// Of the tests before the last `known`, one on a few keys, put behind the others: those keys.
fn take_keys(tests: &mut [Test], known: usize) -> Vec<KeyId> {
    let free = tests.len() - known;
    let is_few = |test: &Test| matches!(test, Test::Keys { keys: KeySet::Few(1.., _), negated: false });
    let Some(index) = tests[..free].iter().position(is_few) else { return Vec::new() };
    tests[index..free].rotate_left(1);
    tests[free - 1].keys().to_vec()
}

/// True where no event, if it is at a point, comes upon two of these lists.
fn is_found_once(places: &[(Place, bool)]) -> bool {
    const CELLS_COMPARED_MAX: usize = 16;
    let cells: Vec<Cell> = places.iter().filter_map(|(place, _)| place.cell()).collect();
    match places {
        [] | [_] => true,
        [(Place::Words(_), _), ..] => true,
        [(Place::Key(_), _), ..] => false,
        [(Place::Cell(_), _), ..] => {
            let apart = |(index, cell): (usize, &Cell)| cells[..index].iter().all(|other| !cell.overlaps(*other));
            cells.len() <= CELLS_COMPARED_MAX && cells.iter().enumerate().all(apart)
        }
    }
}

fn hash_id(hasher: &foldhash::fast::RandomState, id: SubscriptionId) -> u64 {
    use std::hash::BuildHasher;
    hasher.hash_one(id)
}
