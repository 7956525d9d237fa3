//! Records, each replaced as a whole.

use async_trait::async_trait;

use tidings_core::port::{Fence, PortError, Record, RecordKey, RecordStore, Shelf};

use super::spaces::Space;
use super::values::damaged;
use super::{FjallStore, keys, values};

#[async_trait]
impl RecordStore for FjallStore {
    async fn record(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        let key = keys::record(key);
        self.blocking(move |core| {
            let value = core.get(Space::Record, &key)?;
            value.map(|value| values::read_record(&value)).transpose()
        })
        .await
    }

    async fn records(
        &self,
        fence: &Fence,
        shelf: Shelf,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(RecordKey, Record)>, PortError> {
        let fence = fence.clone();
        let under = keys::records(&fence, shelf, prefix);
        let from = after.map(|after| keys::records(&fence, shelf, after));
        // A name before the prefix leaves all of it.
        let from = from.filter(|from| from.as_slice() >= under.as_slice());
        self.blocking(move |core| {
            let rows: Box<dyn Iterator<Item = _>> = match &from {
                Some(from) => Box::new(core.prefix_after(Space::Record, &under, from)),
                None => Box::new(core.prefix(Space::Record, &under)),
            };
            rows.take(limit)
                .map(|row| {
                    let (key, value) = row?;
                    let name = keys::ending_name(&key).ok_or_else(|| damaged("a record's name"))?;
                    Ok((RecordKey::new(fence.clone(), shelf, name), values::read_record(&value)?))
                })
                .collect()
        })
        .await
    }
}
