//! Strings that filters ask for, each with a number and the conjunctions listed under it.

use hashbrown::HashTable;

use super::posting::List;
use crate::filter::WordIndex;
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
    text: Box<str>,
    /// How many conjunctions hold it.
    holders: u32,
    list: List,
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
    table: HashTable<KeyId>,
    entries: Vec<Key>,
    free: Vec<KeyId>,
    in_field: [u32; FIELDS],
    hasher: foldhash::fast::RandomState,
}

impl Keys {
    /// The number of a string that some conjunction holds.
    pub(super) fn find(&self, field: Field, text: &str) -> Option<KeyId> {
        if self.in_field[field as usize] == 0 {
            return None;
        }
        let hash = hash(&self.hasher, field, text);
        self.table.find(hash, |id| self.entries[*id as usize].is(field, text)).copied()
    }

    /// How many conjunctions are listed under a string.
    pub(super) fn listed(&self, field: Field, text: &str) -> usize {
        self.find(field, text).map_or(0, |id| self.entries[id as usize].list.postings.len())
    }

    /// The number of a string, which one more conjunction holds now.
    pub(super) fn hold(&mut self, field: Field, text: &str) -> KeyId {
        if let Some(id) = self.find(field, text) {
            self.entries[id as usize].holders += 1;
            return id;
        }
        let key = Key { field, text: text.into(), holders: 1, list: List::default() };
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
            self::hash(hasher, entry.field, &entry.text)
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
            let hash = hash(&self.hasher, Field::Word, &text);
            let hasher = &self.hasher;
            let entry = self.variants.entry(
                hash,
                |variant| *variant.text == *text,
                |variant| self::hash(hasher, Field::Word, &variant.text),
            );
            entry.or_insert_with(|| Variant { text: text.into(), words: Vec::new() }).get_mut().words.push((id, marks));
        }
    }

    fn remove_variants(&mut self, id: KeyId, word: &str) {
        for (text, _) in variants_of(word) {
            let hash = hash(&self.hasher, Field::Word, &text);
            if let Ok(mut found) = self.variants.find_entry(hash, |variant| *variant.text == *text) {
                found.get_mut().words.retain(|(word, _)| *word != id);
                if found.get().words.is_empty() {
                    found.remove();
                }
            }
        }
    }

    /// The words that a form or, in a language, a stem of a text stands for.
    fn find_words(&self, text: &str, mark: u32, found: &mut Vec<KeyId>) {
        let hash = hash(&self.hasher, Field::Word, text);
        if let Some(variant) = self.variants.find(hash, |variant| *variant.text == *text) {
            found.extend(variant.words.iter().filter(|(_, marks)| marks & mark != 0).map(|(word, _)| *word));
        }
    }

    /// The words of filters that are among those of a text; some perhaps twice.
    pub(super) fn find_all_words(&self, words: &WordIndex, found: &mut Vec<KeyId>) {
        for (form, _) in words.words() {
            self.find_words(form, FORM, found);
        }
        for (stem, language) in words.stems() {
            self.find_words(stem, mark_of(language), found);
        }
    }

    /// True when some filter asks for a string of this field.
    pub(super) fn has(&self, field: Field) -> bool {
        self.in_field[field as usize] > 0
    }

    /// A key's string.
    pub(super) fn text(&self, id: KeyId) -> &str {
        &self.entries[id as usize].text
    }

    /// One conjunction holds it no more. Its number may then name another string.
    pub(super) fn release(&mut self, id: KeyId) {
        let entry = &mut self.entries[id as usize];
        entry.holders -= 1;
        if entry.holders > 0 {
            return;
        }
        let field = entry.field;
        let text = std::mem::take(&mut entry.text);
        entry.list = List::default();
        let hash = hash(&self.hasher, field, &text);
        if let Ok(found) = self.table.find_entry(hash, |other| *other == id) {
            found.remove();
        }
        self.in_field[field as usize] -= 1;
        if field == Field::Word {
            self.remove_variants(id, &text);
        }
        self.free.push(id);
    }

    pub(super) fn list(&self, id: KeyId) -> &List {
        &self.entries[id as usize].list
    }

    pub(super) fn list_mut(&mut self, id: KeyId) -> &mut List {
        &mut self.entries[id as usize].list
    }

    /// Bytes held, without those of the postings.
    pub(super) fn memory_bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|entry| entry.text.len()).sum();
        let variants = |variant: &Variant| variant.text.len() + variant.words.capacity() * size_of::<(KeyId, u32)>();
        texts
            + self.variants.iter().map(variants).sum::<usize>()
            + self.variants.allocation_size()
            + self.entries.capacity() * size_of::<Key>()
            + self.table.allocation_size()
            + self.free.capacity() * size_of::<KeyId>()
    }

    /// Bytes of the postings.
    pub(super) fn posting_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.list.memory_bytes()).sum()
    }
}

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

/// The mark of a language: bits below [`FORM`], in the order of [`Language::all`].
fn mark_of(language: Language) -> u32 {
    Language::all().position(|other| other == language).map_or(0, |index| 1 << index.min(30))
}

impl Key {
    fn is(&self, field: Field, text: &str) -> bool {
        self.field == field && *self.text == *text
    }
}
