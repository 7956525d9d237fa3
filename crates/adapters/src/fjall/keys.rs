//! Storage keys: big-endian, the owning tenant's name and a zero byte first, but for those under a
//! position. Tenant names hold no zero byte, so no key of one tenant begins with another's prefix.

use ::fjall::UserKey;

use tidings_core::id::{DeadLetterId, EventId, SubscriptionId, TenantId, ThreadId, UserId};
use tidings_core::port::{Fence, RecordKey, Shelf};
use tidings_core::position::Position;

/// Bytes of an id and of a position in a key.
const PART: usize = 16;

/// A key under construction; most fit without a heap allocation of their own.
#[derive(Debug, Clone)]
pub(super) struct Key {
    bytes: [u8; Self::LONGEST],
    length: usize,
}

impl Key {
    /// Two tenant names of at most 63 bytes with their zero bytes, and four parts.
    const LONGEST: usize = 2 * 64 + 4 * PART;

    fn new() -> Self {
        Self { bytes: [0; Self::LONGEST], length: 0 }
    }

    fn of(tenant: &TenantId) -> Self {
        Self::new().tenant(tenant)
    }

    fn push(mut self, part: &[u8]) -> Self {
        self.bytes[self.length..self.length + part.len()].copy_from_slice(part);
        self.length += part.len();
        self
    }

    fn tenant(self, tenant: &TenantId) -> Self {
        self.push(tenant.as_str().as_bytes()).push(&[0])
    }

    /// The key right after it.
    pub(super) fn successor(self) -> Self {
        self.push(&[0])
    }

    /// Its bytes.
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl From<Key> for UserKey {
    fn from(key: Key) -> Self {
        UserKey::new(key.as_slice())
    }
}

/// `log`, `event`, `control`: position.
pub(super) fn position(position: Position) -> Key {
    Key::new().push(&position.to_key())
}

/// `raw`: position, part.
pub(super) fn raw(of: Position, part: u32) -> Key {
    position(of).push(&part.to_be_bytes())
}

/// The tenant that a key begins with.
pub(super) fn tenant_of(key: &[u8]) -> Option<TenantId> {
    let name = key.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(name).ok()?.parse().ok()
}

/// What all rows of a tenant begin with, in keyspaces of tenants; the key in `usage`.
pub(super) fn of_tenant(tenant: &TenantId) -> Key {
    Key::of(tenant)
}

/// `meta`: how far the erasure of a tenant is.
pub(super) fn erasure(tenant: &TenantId) -> Key {
    Key::new().push(b"erasure ").push(tenant.as_str().as_bytes())
}

/// `id`: tenant, event.
pub(super) fn event(tenant: &TenantId, event: EventId) -> Key {
    Key::of(tenant).push(event.as_bytes())
}

/// `alias`: tenant, hash of the name.
pub(super) fn alias(tenant: &TenantId, alias: &[u8; 16]) -> Key {
    Key::of(tenant).push(alias)
}

/// `thread`: tenant, thread.
pub(super) fn thread(tenant: &TenantId, thread: ThreadId) -> Key {
    Key::of(tenant).push(thread.as_bytes())
}

/// `incident`: tenant, second since 1970 with its sign turned, so that keys sort as seconds do, hash of
/// the issuer, thread.
pub(super) fn report(tenant: &TenantId, second: i64, issuer: [u8; 8], thread: ThreadId) -> Key {
    Key::of(tenant).push(&(second ^ i64::MIN).to_be_bytes()).push(&issuer).push(thread.as_bytes())
}

/// `version`: tenant, thread, position.
pub(super) fn version(tenant: &TenantId, of: ThreadId, position: Position) -> Key {
    thread(tenant, of).push(&position.to_key())
}

/// `form`: tenant, event, position.
pub(super) fn form(tenant: &TenantId, of: EventId, position: Position) -> Key {
    event(tenant, of).push(&position.to_key())
}

/// What all `revision` rows of a subscription begin with.
pub(super) fn of_subscription(subscription: SubscriptionId) -> Key {
    Key::new().push(subscription.as_bytes())
}

/// `revision`: subscription, position.
pub(super) fn revision(subscription: SubscriptionId, position: Position) -> Key {
    of_subscription(subscription).push(&position.to_key())
}

/// What all `audit` rows of a tenant begin with.
pub(super) fn audit_of(tenant: &TenantId) -> Key {
    Key::of(tenant)
}

/// `audit`: tenant, number.
pub(super) fn audit(tenant: &TenantId, number: u64) -> Key {
    Key::of(tenant).push(&number.to_be_bytes())
}

/// What all `record` rows of a shelf begin with whose names begin alike. No tenant's name is empty.
pub(super) fn records(fence: &Fence, shelf: Shelf, prefix: &str) -> Key {
    let key = match fence {
        Fence::Server => Key::new().push(&[0]),
        Fence::Tenant(tenant) => Key::of(tenant),
    };
    key.push(shelf.as_str().as_bytes()).push(&[0]).push(prefix.as_bytes())
}

/// `record`: fence, shelf, name.
pub(super) fn record(of: &RecordKey) -> Key {
    records(&of.fence, of.shelf, of.name())
}

/// The name that a `record` key ends with.
pub(super) fn ending_name(key: &[u8]) -> Option<&str> {
    std::str::from_utf8(key.rsplit(|byte| *byte == 0).next()?).ok()
}

/// `dead`: tenant, position.
pub(super) fn dead(tenant: &TenantId, position: Position) -> Key {
    Key::of(tenant).push(&position.to_key())
}

/// `dead_id`: tenant, dead letter.
pub(super) fn dead_id(tenant: &TenantId, letter: DeadLetterId) -> Key {
    Key::of(tenant).push(letter.as_bytes())
}

/// What all `told` rows of a thread begin with.
pub(super) fn told_of(thread_tenant: &TenantId, of: ThreadId) -> Key {
    thread(thread_tenant, of)
}

/// `told`: the thread's tenant, thread, the reader's tenant, recipient.
pub(super) fn told(thread_tenant: &TenantId, of: ThreadId, tenant: &TenantId, user: UserId) -> Key {
    told_of(thread_tenant, of).tenant(tenant).push(user.as_bytes())
}

/// `decision`: tenant, recipient, event.
pub(super) fn decision(tenant: &TenantId, user: UserId, event: EventId) -> Key {
    recipient(tenant, user).push(event.as_bytes())
}

/// `inbox`: tenant, recipient, number.
pub(super) fn inbox(tenant: &TenantId, user: UserId, number: u64) -> Key {
    recipient(tenant, user).push(&number.to_be_bytes())
}

/// `cursor`: a recipient's read mark; the beginning of their inbox and decisions.
pub(super) fn recipient(tenant: &TenantId, user: UserId) -> Key {
    Key::of(tenant).push(user.as_bytes())
}

/// `cursor`: the notifier's. No tenant's name is empty.
pub(super) fn notifier_cursor() -> Key {
    Key::new().push(b"\0notifier")
}

/// `meta`: a name.
pub(super) fn meta(name: &str) -> Key {
    Key::new().push(name.as_bytes())
}

/// The position that a key ends with.
pub(super) fn ending_position(key: &[u8]) -> Option<Position> {
    Some(Position::from_key(*key.last_chunk()?))
}

/// The number that an `inbox` key ends with.
pub(super) fn ending_number(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk()?))
}

/// The reader's tenant and the recipient of a `told` key, given what its thread's rows begin with.
pub(super) fn told_recipient(key: &[u8], prefix_length: usize) -> Option<(&str, UserId)> {
    let (tenant, user) = key.get(prefix_length..)?.split_last_chunk::<PART>()?;
    let tenant = std::str::from_utf8(tenant.strip_suffix(&[0])?).ok()?;
    Some((tenant, UserId::from_bytes(*user)))
}

/// The reader's tenant of a `told` key.
pub(super) fn reader_of_told(key: &[u8]) -> Option<&str> {
    let thread_tenant = key.iter().position(|byte| *byte == 0)?;
    told_recipient(key, thread_tenant + 1 + PART).map(|(tenant, _)| tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_stay_apart_and_the_longest_fits() {
        let (short, longer): (TenantId, TenantId) = ("a".parse().unwrap(), "a-b".parse().unwrap());
        let user = UserId::from_bytes([0; 16]);
        assert!(!recipient(&longer, user).as_slice().starts_with(&recipient(&short, user).as_slice()[..2]));
        let longest: TenantId = "z".repeat(63).parse().unwrap();
        let key = told(&longest, ThreadId::from_bytes([7; 16]), &longest, UserId::from_bytes([9; 16]));
        let prefix_length = told_of(&longest, ThreadId::from_bytes([7; 16])).as_slice().len();
        let recipient = told_recipient(key.as_slice(), prefix_length);
        assert_eq!(recipient, Some((longest.as_str(), UserId::from_bytes([9; 16]))));
        assert_eq!(reader_of_told(key.as_slice()), Some(longest.as_str()));
        let key = told(&short, ThreadId::from_bytes([0; 16]), &longer, UserId::from_bytes([0; 16]));
        assert_eq!(reader_of_told(key.as_slice()), Some("a-b"));
        let name = "n".repeat(RecordKey::NAME_BYTES_MAX);
        let key = record(&RecordKey::new(Fence::Tenant(longest), Shelf::DeviceUserCode, name.clone()));
        assert_eq!(ending_name(key.as_slice()), Some(name.as_str()));
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let tenant = TenantId::public();
        let user = UserId::from_bytes([1; 16]);
        assert!(inbox(&tenant, user, 255).as_slice() < inbox(&tenant, user, 256).as_slice());
        assert_eq!(ending_number(inbox(&tenant, user, 256).as_slice()), Some(256));
        let second = |second| report(&tenant, second, [9; 8], ThreadId::from_bytes([1; 16]));
        assert!(second(-1).as_slice() < second(0).as_slice() && second(0).as_slice() < second(1).as_slice());
        let at = Position::start(1).plus(300);
        assert_eq!(ending_position(version(&tenant, ThreadId::from_bytes([1; 16]), at).as_slice()), Some(at));
    }
}
