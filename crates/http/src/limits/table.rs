//! Who spent what, for a bounded number of holders.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Mutex};

use super::account::Account;
use super::rate::Rate;

/// Parts with a lock of their own. Making room looks at all of one part.
const PARTS: usize = 16;

/// The accounts of one kind of holder.
///
/// A part that is full forgets the eighth of it that has spent least: first those whose allowance is
/// whole again, of whom nothing is lost. So a flood of new holders forgets its own like, and not those
/// who are held back. The hasher is std's, since strangers choose their addresses.
#[derive(Debug)]
pub(super) struct Table<K> {
    parts: [Mutex<HashMap<K, Arc<Account>>>; PARTS],
    hasher: RandomState,
    rates: [Rate; 3],
    part_max: usize,
}

impl<K: Hash + Eq + Clone> Table<K> {
    /// An empty one for about `remembered` holders: never more, but for a minimum of 8 a part.
    pub(super) fn new(rates: [Rate; 3], remembered: usize) -> Self {
        Self {
            parts: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            rates,
            part_max: (remembered / PARTS).max(8),
        }
    }

    /// The account of a holder, a new one where there is none.
    pub(super) fn account(&self, holder: &K, now: u64) -> Arc<Account> {
        let part = usize::try_from(self.hasher.hash_one(holder) % PARTS as u64).unwrap_or_default();
        let mut part = self.parts[part].lock().expect("no holder of the lock panics");
        if let Some(account) = part.get(holder) {
            return Arc::clone(account);
        }
        if part.len() >= self.part_max {
            self.make_room(&mut part, now);
        }
        Arc::clone(part.entry(holder.clone()).or_default())
    }

    fn make_room(&self, part: &mut HashMap<K, Arc<Account>>, now: u64) {
        let mut spent: Vec<u64> = part.values().map(|account| account.spent(&self.rates, now)).collect();
        let surplus = self.part_max / 8;
        let (below, most, _) = spent.select_nth_unstable(surplus - 1);
        let most = *most;
        // Of those who spent as much as the last to go, only so many go.
        let mut ties = 1 + below.iter().filter(|spent| **spent == most).count();
        part.retain(|_, account| match account.spent(&self.rates, now).cmp(&most) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => {
                let stays = ties == 0;
                ties = ties.saturating_sub(1);
                stays
            }
        });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.parts.iter().map(|part| part.lock().expect("no holder of the lock panics").len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_flood_of_holders_forgets_its_own_like() {
        let rates = [Rate::new(10, 60); 3];
        let table: Table<u64> = Table::new(rates, 1_600);
        for holder in 0..100 {
            table.account(&holder, SECOND).spend(0, rates[0], 10, SECOND);
        }
        for stranger in 1_000..200_000 {
            table.account(&stranger, SECOND).spend(0, rates[0], 1, SECOND);
            assert!(stranger % 1_000 != 0 || table.len() <= 1_600, "{} after {stranger}", table.len());
        }
        for holder in 0..100 {
            assert_eq!(table.account(&holder, SECOND).wait(0, rates[0], 1, SECOND), 6 * SECOND, "{holder}");
        }
    }

    #[test]
    fn even_the_smallest_has_room_for_one_more() {
        let rates = [Rate::new(10, 60); 3];
        let table: Table<u64> = Table::new(rates, 0);
        for holder in 0..10_000 {
            table.account(&holder, SECOND).spend(0, rates[0], 1 + holder % 10, SECOND);
        }
        assert!((1..=128).contains(&table.len()), "{}", table.len());
    }
}
