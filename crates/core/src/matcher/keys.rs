//! Strings that filters ask for, each with a number and the conjunctions listed under it.

use hashbrown::HashTable;

use super::arena::push_lean;
use super::posting::List;
use crate::filter::{WordIndex, hash_word};
use crate::tokenize::Language;

/// Which string of an event a key is compared with; all in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Field {
    Source,
    Sender,
    Type,
    Country,
    Region,
    AreaCode,
    Measure,
    Word,
}

const FIELDS: usize = 8;

/// A key's number.
pub(super) type KeyId = u32;

#[derive(Debug)]
struct Key {
    field: Field,
    /// Its string; of an area code the scheme, a line feed and the value.
    text: Short,
    /// How many conjunctions hold it.
    holders: u32,
    list: List,
}

/// A string, in place when it is short.
#[derive(Debug)]
enum Short {
    Here(u8, [u8; Short::LENGTH_MAX]),
    Elsewhere(Box<str>),
}

impl Short {
    const LENGTH_MAX: usize = 22;

    fn new(text: &str) -> Self {
        let mut bytes = [0; Self::LENGTH_MAX];
        match bytes.get_mut(..text.len()) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Self::Here(text.len() as u8, bytes)
            }
            None => Self::Elsewhere(text.into()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Here(length, bytes) => std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default(),
            Self::Elsewhere(text) => text,
        }
    }

    #[inline]
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Here(length, bytes) => &bytes[..usize::from(*length)],
            Self::Elsewhere(text) => text.as_bytes(),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Self::Here(..) => 0,
            Self::Elsewhere(text) => text.len(),
        }
    }
}

/// A form or stem by which a word of a filter is found.
#[derive(Debug)]
struct Variant {
    text: Box<str>,
    /// The words it stands for: in which languages it is their stem, and whether it is the word.
    words: Vec<(KeyId, u32)>,
}

/// The mark of a variant that is the word itself; those of languages lie below.
const FORM: u32 = 1 << 31;

/// All keys in use.
#[derive(Debug, Default)]
pub(super) struct Keys {
    variants: HashTable<Variant>,
    rumored: Rumored,
    table: HashTable<KeyId>,
    entries: Vec<Key>,
    free: Vec<KeyId>,
    in_field: [u32; FIELDS],
    hasher: foldhash::fast::RandomState,
}

impl Keys {
    /// The number of a string that some conjunction holds.
    #[inline]
    pub(super) fn find(&self, field: Field, text: &str) -> Option<KeyId> {
        if self.in_field[field as usize] == 0 {
            return None;
        }
        let hash = hash(&self.hasher, field, text);
        self.table.find(hash, |id| self.entries[*id as usize].is(field, text)).copied()
    }

    /// How many conjunctions are listed under a string.
    pub(super) fn listed(&self, field: Field, text: &str) -> usize {
        self.find(field, text).map_or(0, |id| self.entries[id as usize].list.postings().len())
    }

    /// The number of a string, which one more conjunction holds now.
    pub(super) fn hold(&mut self, field: Field, text: &str) -> KeyId {
        if let Some(id) = self.find(field, text) {
            self.entries[id as usize].holders += 1;
            return id;
        }
        let key = Key { field, text: Short::new(text), holders: 1, list: List::default() };
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[id as usize] = key;
                id
            }
            None => {
                self.entries.push(key);
                self.entries.len() as KeyId - 1
            }
        };
        let hash = hash(&self.hasher, field, text);
        let (entries, hasher) = (&self.entries, &self.hasher);
        let rehash = |id: &KeyId| {
            let entry = &entries[*id as usize];
            self::hash(hasher, entry.field, entry.text.as_str())
        };
        self.table.insert_unique(hash, id, rehash);
        self.in_field[field as usize] += 1;
        if field == Field::Word {
            self.add_variants(id, text);
        }
        id
    }

    /// Lists the ways in which a text may hold a word: as it is, and by its stem in any language.
    fn add_variants(&mut self, id: KeyId, word: &str) {
        for (text, marks) in variants_of(word) {
            let hash = hash_word(&text);
            let rehash = |variant: &Variant| hash_word(&variant.text);
            let entry = self.variants.entry(hash, |variant| *variant.text == *text, rehash);
            let variant = entry.or_insert_with(|| Variant { text: text.into(), words: Vec::new() });
            push_lean(&mut variant.into_mut().words, (id, marks));
            self.rumored.add(hash);
        }
        if self.rumored.is_crowded() {
            let hashes = self.variants.iter().map(|variant| hash_word(&variant.text));
            self.rumored = Rumored::of(hashes, self.variants.len());
        }
    }

    fn remove_variants(&mut self, id: KeyId, word: &str) {
        for (text, _) in variants_of(word) {
            if let Ok(mut found) = self.variants.find_entry(hash_word(&text), |variant| *variant.text == *text) {
                found.get_mut().words.retain(|(word, _)| *word != id);
                if found.get().words.is_empty() {
                    found.remove();
                }
            }
        }
    }

    /// The words of filters that are among those of a text; some perhaps twice.
    pub(super) fn find_words(&self, words: &WordIndex, found: &mut Vec<KeyId>) {
        for (number, hash) in words.hashes().iter().enumerate() {
            if !self.rumored.may_hold(*hash) {
                continue;
            }
            let (text, language) = words.get(number);
            if let Some(variant) = self.variants.find(*hash, |variant| *variant.text == *text) {
                let mark = language.map_or(FORM, mark_of);
                found.extend(variant.words.iter().filter(|(_, marks)| marks & mark != 0).map(|(word, _)| *word));
            }
        }
    }

    /// True when some filter asks for a string of this field.
    pub(super) fn has(&self, field: Field) -> bool {
        self.in_field[field as usize] > 0
    }

    /// One conjunction holds it no more. Its number may then name another string.
    pub(super) fn release(&mut self, id: KeyId) {
        let entry = &mut self.entries[id as usize];
        entry.holders -= 1;
        if entry.holders > 0 {
            return;
        }
        let field = entry.field;
        let text = std::mem::replace(&mut entry.text, Short::new(""));
        let text = text.as_str();
        entry.list = List::default();
        let hash = hash(&self.hasher, field, text);
        if let Ok(found) = self.table.find_entry(hash, |other| *other == id) {
            found.remove();
        }
        self.in_field[field as usize] -= 1;
        if field == Field::Word {
            self.remove_variants(id, text);
        }
        self.free.push(id);
    }

    #[inline]
    pub(super) fn list(&self, id: KeyId) -> &List {
        &self.entries[id as usize].list
    }

    pub(super) fn list_mut(&mut self, id: KeyId) -> &mut List {
        &mut self.entries[id as usize].list
    }

    /// Bytes held, without those of the postings.
    pub(super) fn memory_bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.text.memory_bytes()).sum();
        let variants = |variant: &Variant| variant.text.len() + variant.words.capacity() * size_of::<(KeyId, u32)>();
        texts
            + self.variants.iter().map(variants).sum::<usize>()
            + self.variants.allocation_size()
            + self.rumored.bits.capacity() * 8
            + self.entries.capacity() * size_of::<Key>()
            + self.table.allocation_size()
            + self.free.capacity() * size_of::<KeyId>()
    }

    /// Bytes of the postings.
    pub(super) fn posting_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.list.memory_bytes()).sum()
    }
}

#[inline]
fn hash(hasher: &foldhash::fast::RandomState, field: Field, text: &str) -> u64 {
    use std::hash::{BuildHasher, Hasher};
    let mut hasher = hasher.build_hasher();
    hasher.write_u8(field as u8);
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The forms by which a text may hold a word, each with its marks.
fn variants_of(word: &str) -> Vec<(String, u32)> {
    let mut found = vec![(word.to_owned(), FORM)];
    for language in Language::all() {
        let stem = language.stem(word);
        match found.iter_mut().find(|(text, _)| *text == *stem) {
            Some((_, marks)) => *marks |= mark_of(language),
            None => found.push((stem.into_owned(), mark_of(language))),
        }
    }
    found
}

/// The mark of a language: a bit below [`FORM`].
#[inline]
const fn mark_of(language: Language) -> u32 {
    1 << language.number()
}

/// A few bits for each hash seen: what is not here is surely in no table, and asking is cheap.
#[derive(Debug, Default)]
struct Rumored {
    bits: Vec<u64>,
    added: usize,
}

impl Rumored {
    const BITS_PER_HASH: usize = 16;

    /// With room for twice as many.
    fn of(hashes: impl Iterator<Item = u64>, count: usize) -> Self {
        let words = (count.max(64) * 2 * Self::BITS_PER_HASH / 64).next_power_of_two();
        let mut rumored = Self { bits: vec![0; words], added: 0 };
        hashes.for_each(|hash| rumored.add(hash));
        rumored
    }

    /// The word and the bits in it that a hash sets.
    #[inline]
    fn bits_of(&self, hash: u64) -> (usize, u64) {
        let word = (hash >> 12) as usize & (self.bits.len() - 1);
        (word, 1 << (hash & 63) | 1 << (hash >> 6 & 63))
    }

    fn add(&mut self, hash: u64) {
        self.added += 1;
        if !self.bits.is_empty() {
            let (word, bits) = self.bits_of(hash);
            self.bits[word] |= bits;
        }
    }

    fn is_crowded(&self) -> bool {
        self.added * Self::BITS_PER_HASH > self.bits.len() * 64
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        if self.bits.is_empty() {
            return false;
        }
        let (word, bits) = self.bits_of(hash);
        self.bits[word] & bits == bits
    }
}

impl Key {
    #[inline]
    fn is(&self, field: Field, text: &str) -> bool {
        self.field == field && self.text.as_bytes() == text.as_bytes()
    }
}
