mod generate;

use std::str::FromStr;

use super::*;
use crate::vocabulary::State;

use self::generate::World;

/// What a matcher must find, by looking at every subscription.
#[derive(Default)]
struct Naive {
    entries: Vec<Option<Held>>,
}

/// Whose it is, what they read besides, and what it asks for.
type Held = (TenantId, Vec<TenantId>, Compiled);

fn id(number: usize) -> SubscriptionId {
    SubscriptionId::from_bytes((number as u128 + 1).to_be_bytes())
}

impl Naive {
    fn matching(&self, subject: &Subject<'_>, tenant: &TenantId) -> Vec<SubscriptionId> {
        let mut found = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let Some((own, reads, compiled)) = entry else { continue };
            if (own == tenant || reads.contains(tenant)) && compiled.matches(subject) {
                found.push(id(number));
            }
        }
        found
    }
}

/// A matcher and its naive twin, which change together.
struct Twins {
    world: World,
    matcher: Matcher,
    naive: Naive,
    scratch: Scratch,
    matched: usize,
}

impl Twins {
    fn new(seed: u64, places: usize) -> Self {
        let mut twins = Self {
            world: World::new(seed),
            matcher: Matcher::new(),
            naive: Naive { entries: (0..places).map(|_| None).collect() },
            scratch: Scratch::default(),
            matched: 0,
        };
        for number in 0..places {
            twins.insert(number);
        }
        twins
    }

    fn tenant(&mut self) -> TenantId {
        let names = ["public", "one", "two"];
        TenantId::from_str(names[self.world.below(names.len())]).expect("a tenant name")
    }

    fn insert(&mut self, number: usize) {
        let compiled = self.world.compiled();
        let tenant = self.tenant();
        let reads = if self.world.chance(0.7) { vec![TenantId::public()] } else { Vec::new() };
        self.matcher.insert(Entry { id: id(number), tenant: &tenant, reads: &reads, compiled: &compiled });
        self.naive.entries[number] = Some((tenant, reads, compiled));
    }

    fn change(&mut self) {
        let number = self.world.below(self.naive.entries.len());
        if self.world.chance(0.3) {
            let was_there = self.naive.entries[number].take().is_some();
            assert_eq!(self.matcher.remove(id(number)), was_there);
        } else {
            self.insert(number);
        }
    }

    fn judge(&mut self) {
        let event = self.world.event();
        let tenant = self.tenant();
        let state = State::ALL[self.world.below(State::ALL.len())];
        let subject = Subject::new(&event, state);
        let mut found = Vec::new();
        self.matcher.matching(&subject, &tenant, &mut self.scratch, &mut found);
        let mut found: Vec<SubscriptionId> = found.into_iter().map(|slot| self.matcher.id(slot)).collect();
        found.sort_unstable();
        let expected = self.naive.matching(&subject, &tenant);
        if found != expected {
            let differs = |(number, _): &(usize, _)| found.contains(&id(*number)) != expected.contains(&id(*number));
            let entry = self.naive.entries.iter().enumerate().find(differs).and_then(|(_, entry)| entry.as_ref());
            panic!(
                "found {} and expected {}; the first that differs is {:#?}, for {event:#?}",
                found.len(),
                expected.len(),
                entry.map(|(own, reads, compiled)| (own, reads, compiled.filter())),
            );
        }
        self.matched += expected.len();
    }
}

/// Judges `events` events by `places` subscriptions, with changes in between.
fn check(seed: u64, places: usize, events: usize) {
    let mut twins = Twins::new(seed, places);
    for _ in 0..events {
        twins.judge();
        for _ in 0..2 {
            twins.change();
        }
    }
    assert_eq!(twins.matcher.len(), twins.naive.entries.iter().flatten().count());
    assert!(twins.matched > events, "too few pairs match to show anything: {}", twins.matched);
    for number in 0..places {
        twins.matcher.remove(id(number));
    }
    let left = twins.matcher.memory_bytes();
    assert_eq!((twins.matcher.len(), left.postings < 20_000), (0, true), "{left:?}");
}

#[test]
fn agrees_with_looking_at_every_subscription() {
    check(1, 500, 800);
}

#[test]
fn agrees_with_other_subscriptions() {
    check(2, 500, 800);
}

#[test]
fn agrees_with_many_subscriptions() {
    check(3, 2_000, 400);
}

#[test]
fn agrees_with_few_subscriptions() {
    check(4, 50, 5_000);
}

#[test]
fn what_is_removed_is_not_found() {
    let mut matcher = Matcher::new();
    let compiled = Compiled::new(&crate::filter::Filter::All(Vec::new())).expect("an empty filter is allowed");
    let tenant = TenantId::public();
    let event = World::new(1).event();
    let subject = Subject::new(&event, State::Active);
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    let slot = matcher.insert(Entry { id: id(1), tenant: &tenant, reads: &[], compiled: &compiled });
    matcher.matching(&subject, &tenant, &mut scratch, &mut found);
    assert_eq!((found.as_slice(), matcher.id(slot), matcher.slot(id(1))), (&[slot][..], id(1), Some(slot)));
    matcher.matching(&subject, &TenantId::default_tenant(), &mut scratch, &mut found);
    assert!(found.is_empty());
    assert!(matcher.remove(id(1)) && !matcher.remove(id(1)) && matcher.is_empty());
    matcher.matching(&subject, &tenant, &mut scratch, &mut found);
    assert!(found.is_empty());
}
