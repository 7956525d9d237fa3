//! Finds, among up to millions of subscriptions, those that an event matches.
//!
//! Each conjunction of a filter stands under one key, its most selective: the cells of a nested
//! grid, strings (area code, word, sender, …), or category and severity (`plan`). An event looks
//! up its own keys (`probe`, `search`); a posting holds enough to judge most conjunctions in
//! place. The answer is that of [`Compiled::matches`] on every subscription, only sooner.
//!
//! Changes are made in place and cost microseconds. Postings of removed conjunctions are swept out
//! of a list when they are half of it.

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

use crate::filter::{Compiled, Program, Subject};
use crate::id::{SubscriptionId, TenantId};

use self::audience::Audiences;
use self::index::{Index, Place, word_places};
use self::keys::KeyId;
use self::plan::{Plan, Wanted};
use self::posting::{Posting, Spot};
use self::rule::{Access, KeySet, NONE, Rule, Test, Tests};

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
    /// Its filter, where some condition is judged by it.
    program: Option<Box<Program>>,
}

/// All subscriptions, indexed. One writer; readers share it between writes.
#[derive(Debug, Default)]
pub struct Matcher {
    slots: Vec<Slot>,
    free_slots: Vec<u32>,
    by_id: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    rules: Vec<Rule>,
    free_rules: Vec<u32>,
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
        let mut needs_program = false;
        let mut next = NONE;
        for plan in plan::plans(entry.compiled, &self.index.keys) {
            needs_program |= plan.tests.iter().any(Wanted::needs_program);
            next = self.add_rule(plan, slot, audience, next);
        }
        let place = &mut self.slots[slot as usize];
        place.rules = next;
        place.program = needs_program.then(|| Box::new(entry.compiled.program().clone()));
        SlotId(slot)
    }

    /// Takes a subscription out; false when there is none of this id.
    pub fn remove(&mut self, id: SubscriptionId) -> bool {
        let hash = hash_id(&self.hasher, id);
        let slots = &self.slots;
        let Ok(entry) = self.by_id.find_entry(hash, |slot| slots[*slot as usize].id == id) else { return false };
        let slot = entry.remove().0;
        self.clear(slot);
        self.free_slots.push(slot);
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
        self.slots[slot.index()].id
    }

    /// The number of a subscription.
    pub fn slot(&self, id: SubscriptionId) -> Option<SlotId> {
        self.find(id).map(SlotId)
    }

    fn find(&self, id: SubscriptionId) -> Option<u32> {
        self.by_id.find(hash_id(&self.hasher, id), |slot| self.slots[*slot as usize].id == id).copied()
    }

    fn new_slot(&mut self, id: SubscriptionId) -> u32 {
        let place = Slot { id, rules: NONE, program: None };
        let number = take_number(&mut self.slots, &mut self.free_slots, place);
        let (slots, hasher) = (&self.slots, &self.hasher);
        let hash = hash_id(hasher, id);
        self.by_id.insert_unique(hash, number, |slot| hash_id(hasher, slots[*slot as usize].id));
        number
    }

    fn add_rule(&mut self, plan: Plan<'_>, slot: u32, audience: u32, next: u32) -> u32 {
        let Plan { mask, tests: wanted, access, spot } = plan;
        let judged_in_place = usize::from(access == Access::Keys) + usize::from(spot != Spot::Anywhere);
        let is_plain = wanted.len() == judged_in_place;
        let mut tests = NONE;
        for wanted in wanted.into_iter().rev() {
            let test = self.make_test(wanted);
            tests = self.tests.prepend(test, tests);
        }
        let rule = Rule { mask, slot, audience, tests, next, postings: 0, access };
        let number = take_number(&mut self.rules, &mut self.free_rules, rule);
        let posting = Posting::new(number, mask, spot, is_plain);
        let places = self.places(number);
        for (place, is_interior) in &places {
            self.index.add(*place, if *is_interior { posting.interior() } else { posting });
        }
        self.rules[number as usize].postings = places.len() as u32;
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
            Wanted::Within(index, area) => Test::Literal { index, cells: plan::cells_of_area(area) },
            Wanted::Literal(index) => Test::Literal { index, cells: Box::default() },
            Wanted::Measure(measure, negated) => Test::Measure {
                name: keys.hold(keys::Field::Measure, &measure.name),
                op: measure.op,
                value: measure.value,
                negated,
            },
        }
    }

    /// Every list that holds a conjunction, and whether its cell is interior. The same for the same
    /// conjunction at any time.
    fn places(&self, rule: u32) -> Vec<(Place, bool)> {
        let rule = &self.rules[rule as usize];
        if rule.access == Access::Words {
            return word_places(rule.mask).into_iter().map(|place| (place, false)).collect();
        }
        let in_cell = |cell| (Place::Cell(cell), false);
        match self.tests.chain(rule.tests).next() {
            Some(Test::Keys { keys, .. }) => keys.as_slice().iter().map(|key| (Place::Key(*key), false)).collect(),
            Some(Test::Near { center, radius_km }) => {
                plan::cells_near(*center, *radius_km).into_iter().map(in_cell).collect()
            }
            Some(Test::Bbox(bounds)) => plan::cells_in_box(bounds).into_iter().map(in_cell).collect(),
            Some(Test::Literal { cells, .. }) => {
                cells.iter().map(|covering| (Place::Cell(covering.cell), covering.is_interior)).collect()
            }
            Some(Test::Measure { .. }) | None => Vec::new(),
        }
    }

    /// Takes out what a slot holds.
    fn clear(&mut self, slot: u32) {
        let place = &mut self.slots[slot as usize];
        place.program = None;
        let mut number = std::mem::replace(&mut place.rules, NONE);
        while number != NONE {
            let next = self.rules[number as usize].next;
            self.remove_rule(number);
            number = next;
        }
    }

    fn remove_rule(&mut self, number: u32) {
        let places = self.places(number);
        self.rules[number as usize].slot = NONE;
        if places.is_empty() {
            self.free_rules.push(number);
        }
        for (place, _) in places {
            let rules = &self.rules;
            for dropped in self.index.bury(place, |rule| rules[rule as usize].slot == NONE) {
                let rule = &mut self.rules[dropped as usize];
                rule.postings -= 1;
                if rule.postings == 0 {
                    self.free_rules.push(dropped);
                }
            }
        }
        let first = std::mem::replace(&mut self.rules[number as usize].tests, NONE);
        for test in self.tests.remove(first) {
            for key in test.keys() {
                self.index.keys.release(*key);
            }
        }
    }
}

fn hash_id(hasher: &foldhash::fast::RandomState, id: SubscriptionId) -> u64 {
    use std::hash::BuildHasher;
    hasher.hash_one(id)
}

/// Puts a value into a free place of an arena, or a new one.
fn take_number<T>(arena: &mut Vec<T>, free: &mut Vec<u32>, value: T) -> u32 {
    match free.pop() {
        Some(number) => {
            arena[number as usize] = value;
            number
        }
        None => {
            arena.push(value);
            arena.len() as u32 - 1
        }
    }
}
