//! Many messages through every stage at once, each keeping its place.

use bytes::Bytes;

use crate::rejection::Rejection;

/// The items of a batch in order; a refused one keeps its place and its bytes.
#[derive(Debug, Clone)]
pub struct Batch<T> {
    items: Vec<Item<T>>,
}

/// One place of a batch.
#[derive(Debug, Clone)]
pub struct Item<T> {
    /// Which envelope of the batch it came in.
    pub envelope: usize,
    /// What became of it so far.
    pub fate: Result<T, Refused>,
}

/// A refused item: why, and its bytes for the dead letter.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Why.
    pub rejection: Rejection,
    /// Its bytes as received.
    pub raw: Bytes,
    /// Their media type, where known.
    pub media_type: Option<String>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { items: Vec::new() }
    }
}

impl<T> Batch<T> {
    /// Adds an item that came in envelope number `envelope`.
    pub fn push(&mut self, envelope: usize, fate: Result<T, Refused>) {
        self.items.push(Item { envelope, fate });
    }

    /// Makes room for so many more places.
    pub fn reserve(&mut self, count: usize) {
        self.items.reserve(count);
    }

    /// Takes back all places but the first `count`.
    pub fn truncate(&mut self, count: usize) {
        self.items.truncate(count);
    }

    /// How many places it has.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// True without any place.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Refuses the items for which `judge` finds a reason; `raw` gives the bytes to keep.
    pub fn refuse(
        &mut self,
        raw: impl Fn(&T) -> (Bytes, Option<String>),
        judge: impl Fn(usize, &T) -> Result<(), Rejection>,
    ) {
        for item in &mut self.items {
            let Ok(value) = &item.fate else { continue };
            if let Err(rejection) = judge(item.envelope, value) {
                let (raw, media_type) = raw(value);
                item.fate = Err(Refused { rejection, raw, media_type });
            }
        }
    }

    /// Turns each item that is still in into something else, in place.
    pub fn map<U>(self, mut convert: impl FnMut(usize, T) -> U) -> Batch<U> {
        let convert_item = |item: Item<T>| Item {
            envelope: item.envelope,
            fate: item.fate.map(|value| convert(item.envelope, value)),
        };
        Batch { items: self.items.into_iter().map(convert_item).collect() }
    }

    /// Turns every place into something else, refused ones included.
    pub fn map_all<U>(self, mut convert: impl FnMut(usize, Result<T, Refused>) -> Result<U, Refused>) -> Batch<U> {
        let convert_item = |item: Item<T>| Item { envelope: item.envelope, fate: convert(item.envelope, item.fate) };
        Batch { items: self.items.into_iter().map(convert_item).collect() }
    }

    /// The item added last, if it is still in.
    pub fn last_mut(&mut self) -> Option<&mut T> {
        self.items.last_mut()?.fate.as_mut().ok()
    }

    /// Each item that is still in, to be changed in place.
    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut().filter_map(|item| item.fate.as_mut().ok())
    }

    /// Its places.
    pub fn into_items(self) -> Vec<Item<T>> {
        self.items
    }

    /// Its places, to read.
    pub fn items(&self) -> &[Item<T>] {
        &self.items
    }
}
