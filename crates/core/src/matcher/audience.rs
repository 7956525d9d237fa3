//! Which subscriptions read which tenants' events.

use hashbrown::HashMap;

use crate::id::TenantId;

/// Sets of tenants, each with a number.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    tenants: HashMap<TenantId, u32, foldhash::fast::RandomState>,
    numbers: HashMap<Box<[u32]>, u32, foldhash::fast::RandomState>,
    sets: Vec<Box<[u32]>>,
}

impl Audiences {
    /// The number of a set: a tenant and those whose events it reads besides. Sets are few, one for
    /// each tenant or so, and stay.
    pub(super) fn number(&mut self, tenant: &TenantId, reads: &[TenantId]) -> u32 {
        let mut set: Vec<u32> = std::iter::once(tenant)
            .chain(reads)
            .map(|tenant| {
                let next = self.tenants.len() as u32;
                *self.tenants.entry_ref(tenant).or_insert(next)
            })
            .collect();
        set.sort_unstable();
        set.dedup();
        let (sets, next) = (&mut self.sets, self.numbers.len() as u32);
        *self.numbers.entry(set.into()).or_insert_with_key(|set| {
            sets.push(set.clone());
            next
        })
    }

    /// The number of a tenant that some set holds.
    pub(super) fn tenant(&self, tenant: &TenantId) -> Option<u32> {
        self.tenants.get(tenant).copied()
    }

    /// True where the set holds the tenant.
    #[inline]
    pub(super) fn reads(&self, audience: u32, tenant: u32) -> bool {
        self.sets.get(audience as usize).is_some_and(|set| set.contains(&tenant))
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        let sets: usize = self.sets.iter().map(|set| 2 * size_of_val::<[u32]>(set)).sum();
        sets + self.tenants.allocation_size() + self.numbers.allocation_size() + self.sets.capacity() * 16
    }
}
