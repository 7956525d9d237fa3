//! Control changes with their history.

use async_trait::async_trait;

use tidings_core::id::SubscriptionId;
use tidings_core::port::{ControlStore, PortError, StoredChange};
use tidings_core::position::Position;

use super::spaces::Space;
use super::values::damaged;
use super::{FjallStore, keys, values};

#[async_trait]
impl ControlStore for FjallStore {
    async fn changes(&self, after: Position, limit: usize) -> Result<Vec<StoredChange>, PortError> {
        let (from, to) = (keys::position(after.plus(1)), keys::position(*self.core.head.borrow()));
        if from.as_slice() > to.as_slice() {
            return Ok(Vec::new());
        }
        self.blocking(move |core| {
            let rows = core.range(Space::Control, &from, &to).take(limit);
            rows.map(|row| row.and_then(|(key, value)| change_of(&key, &value))).collect()
        })
        .await
    }

    async fn history(&self, subscription: SubscriptionId) -> Result<Vec<StoredChange>, PortError> {
        let prefix = keys::of_subscription(subscription);
        self.blocking(move |core| {
            let mut found = Vec::new();
            for row in core.prefix(Space::Revision, &prefix) {
                let position = keys::ending_position(&row?.0).ok_or_else(|| damaged("a revision row"))?;
                let key = keys::position(position);
                if let Some(value) = core.get(Space::Control, &key)? {
                    found.push(change_of(key.as_slice(), &value)?);
                }
            }
            Ok(found)
        })
        .await
    }
}

fn change_of(key: &[u8], value: &[u8]) -> Result<StoredChange, PortError> {
    let position = keys::ending_position(key).ok_or_else(|| damaged("a control change"))?;
    Ok(StoredChange { position, change: values::read_json("a control change", value)? })
}
