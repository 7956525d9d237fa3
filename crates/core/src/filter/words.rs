//! Finding words and phrases in the texts of an event.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::{HashSet, HashTable};

use crate::event::SegmentView;
use crate::tokenize::{Language, for_each_token, tokenize_query};

use super::TextQuery;

/// A text query, cut into normalized words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMatch {
    /// At least one of these, where there are any.
    pub any: Box<[Entry]>,
    /// All of these.
    pub all: Box<[Entry]>,
    /// None of these.
    pub none: Box<[Entry]>,
}

/// One entry of a text query: every phrase must be found.
pub type Entry = Box<[Phrase]>;

/// Words that stand one after another; mostly one word.
pub type Phrase = Box<[Box<str>]>;

impl TextMatch {
    /// Cuts the entries of a query.
    pub fn new(query: &TextQuery) -> Self {
        let cut = |entries: &[String]| entries.iter().map(|entry| phrases(entry)).collect();
        Self { any: cut(&query.any), all: cut(&query.all), none: cut(&query.none) }
    }

    /// True where the words of one segment are as the query wants them.
    pub fn holds(&self, words: &WordIndex) -> bool {
        let found = |entry: &Entry| words.has_entry(entry);
        self.all.iter().all(found)
            && (self.any.is_empty() || self.any.iter().any(found))
            && !self.none.iter().any(found)
    }
}

/// The phrases of an entry: what stands in `"quotes"`, and each word outside of them.
pub(super) fn phrases(entry: &str) -> Entry {
    let mut phrases = Vec::new();
    for (index, part) in entry.split('"').enumerate() {
        if index % 2 == 1 {
            phrases.push(phrase(part));
        } else {
            phrases.extend(part.split_whitespace().map(phrase));
        }
    }
    phrases.retain(|phrase| !phrase.is_empty());
    phrases.into()
}

fn phrase(text: &str) -> Phrase {
    tokenize_query(text).into_iter().map(|token| token.text.into()).collect()
}

/// The words of one segment's title and texts, to be looked up.
#[derive(Debug, Clone, Default)]
pub struct WordIndex {
    languages: Vec<LanguageWords>,
    /// Every distinct form and stem of each language, by number.
    words: Vec<Word>,
    /// Their hashes: see [`hash_word`].
    hashes: Vec<u64>,
    /// Their texts, one after another.
    texts: String,
    /// Their numbers, by hash.
    table: HashTable<u32>,
    /// Which form stands at which position, in the order of the texts.
    places: Vec<(u32, u32)>,
}

/// A language of some texts.
#[derive(Debug, Clone)]
struct LanguageWords {
    tag: String,
    language: Option<Language>,
    next_position: u32,
}

/// A form of a word as it stands in a text, or the stem of such forms.
#[derive(Debug, Clone, Copy)]
struct Word {
    /// Where its text begins and ends.
    span: (u32, u32),
    /// The language, by number.
    language: u32,
    /// Of a form the number of its stem, [`NONE`] without one; of a stem itself.
    stem: u32,
}

/// No stem.
const NONE: u32 = u32::MAX;
/// The number of a form or stem that no text has.
const NOWHERE: u32 = u32::MAX - 1;
/// Letters a word has at least, with what parts it from the next one: a guess to make room by.
const BYTES_PER_WORD: usize = 6;

/// The hash of a word or stem, the same for equal words as long as the process lives.
pub(crate) fn hash_word(text: &str) -> u64 {
    static HASHER: LazyLock<foldhash::fast::RandomState> = LazyLock::new(foldhash::fast::RandomState::default);
    HASHER.hash_one(text)
}

impl WordIndex {
    /// Reads the title, taken to be in the first text's language, and the texts of a segment.
    pub(super) fn new(title: &str, segment: &SegmentView<'_>) -> Self {
        let mut texts: Vec<(&str, &str)> = Vec::new();
        let first = segment.texts.first();
        // A title is mostly the first headline, whose words need not be read twice.
        if first.and_then(|text| text.headline.as_deref()) != Some(title) {
            texts.push((first.map_or("und", |text| text.lang.as_str()), title));
        }
        for text in segment.texts {
            let fields = [&text.event, &text.headline, &text.description, &text.instruction];
            texts.extend(fields.into_iter().flatten().map(|field| (text.lang.as_str(), field.as_str())));
        }
        let mut index = Self::with_room(texts.iter().map(|(_, text)| text.len()).sum());
        for (tag, text) in texts {
            index.add(tag, text);
        }
        index.find_stems();
        index
    }

    fn with_room(size_bytes: usize) -> Self {
        let words = size_bytes / BYTES_PER_WORD;
        Self {
            languages: Vec::new(),
            words: Vec::with_capacity(2 * words),
            hashes: Vec::with_capacity(2 * words),
            texts: String::with_capacity(2 * size_bytes),
            table: HashTable::with_capacity(2 * words),
            places: Vec::with_capacity(words),
        }
    }

    fn add(&mut self, tag: &str, text: &str) {
        let at = self.languages.iter().position(|language| language.tag == tag).unwrap_or_else(|| {
            let language = LanguageWords { tag: tag.to_owned(), language: Language::of(tag), next_position: 0 };
            self.languages.push(language);
            self.languages.len() - 1
        });
        let start = self.languages[at].next_position;
        let mut end = start;
        for_each_token(text, |form, position| {
            let text_start = self.texts.len();
            self.texts.push_str(form);
            let number = self.number_last(text_start, at as u32, false);
            self.places.push((number, start + position));
            end = start + position + 1;
        });
        // A gap, so that no phrase runs from one text into the next.
        self.languages[at].next_position = end + 1;
    }

    fn find_stems(&mut self) {
        let mut form = String::new();
        for number in 0..self.words.len() {
            let at = self.words[number].language;
            let Some(language) = self.languages[at as usize].language else { continue };
            form.clear();
            form.push_str(self.text(number as u32));
            let start = self.texts.len();
            language.push_stem(&form, self.hashes[number], &mut self.texts);
            self.words[number].stem = self.number_last(start, at, true);
        }
    }

    /// The number of the form or stem that was just written at the end of the texts from `start`
    /// on, where it stays if it is a new one.
    fn number_last(&mut self, start: usize, language: u32, is_stem: bool) -> u32 {
        let (_, text) = self.texts.split_at(start);
        let hash = hash_word(text);
        if let Some(number) = self.find_hashed(hash, language, text, is_stem) {
            self.texts.truncate(start);
            return number;
        }
        let number = self.words.len() as u32;
        let stem = if is_stem { number } else { NONE };
        self.words.push(Word { span: (start as u32, self.texts.len() as u32), language, stem });
        self.hashes.push(hash);
        self.table.insert_unique(hash, number, |other| self.hashes[*other as usize]);
        number
    }

    fn text(&self, number: u32) -> &str {
        let (start, end) = self.words[number as usize].span;
        &self.texts[start as usize..end as usize]
    }

    /// The language of a stem; of a form nothing.
    fn stem_language(&self, number: u32) -> Option<Language> {
        let word = &self.words[number as usize];
        if word.stem == number { self.languages[word.language as usize].language } else { None }
    }

    /// Every distinct word, with the language it stands in.
    pub fn words(&self) -> impl Iterator<Item = (&str, Option<Language>)> {
        let forms = (0..).zip(&self.words).filter(|(number, word)| word.stem != *number);
        forms.map(|(number, word)| (self.text(number), self.languages[word.language as usize].language))
    }

    /// Every distinct stem, with its language.
    pub fn stems(&self) -> impl Iterator<Item = (&str, Language)> {
        (0..self.words.len() as u32).filter_map(|number| Some((self.text(number), self.stem_language(number)?)))
    }

    /// The hash of every word as it stands and of every stem: what a matcher looks its queries up
    /// by.
    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// The form or stem of a number, and of a stem the language.
    pub(crate) fn get(&self, number: usize) -> (&str, Option<Language>) {
        (self.text(number as u32), self.stem_language(number as u32))
    }

    /// True where every phrase of an entry is found. An entry of signs only, which
    /// has no phrase, is never found.
    pub(super) fn has_entry(&self, entry: &Entry) -> bool {
        let has_phrase = |phrase| (0..self.languages.len() as u32).any(|language| self.has_phrase(language, phrase));
        !entry.is_empty() && entry.iter().all(has_phrase)
    }

    fn has_phrase(&self, language: u32, phrase: &Phrase) -> bool {
        match &**phrase {
            [] => false,
            [word] => self.forms_of(language, word).is_some(),
            [first, rest @ ..] => {
                let mut ends: HashSet<u32, foldhash::fast::RandomState> = self.positions(language, first).collect();
                for word in rest {
                    let next = self.positions(language, word);
                    ends = next.filter(|position| ends.contains(&position.wrapping_sub(1))).collect();
                }
                !ends.is_empty()
            }
        }
    }

    /// Where a word stands in texts of a language, as it is or in a form of the same stem.
    fn positions(&self, language: u32, word: &str) -> impl Iterator<Item = u32> {
        let forms = self.forms_of(language, word);
        let stands_at = move |(form, position): &(u32, u32)| {
            let (same, stem) = forms?;
            (*form == same || self.words[*form as usize].stem == stem).then_some(*position)
        };
        self.places.iter().filter_map(stands_at)
    }

    /// The number of a word among the forms of a language and that of its stem, where there is one of
    /// the two.
    fn forms_of(&self, language: u32, word: &str) -> Option<(u32, u32)> {
        let form = self.find(language, word, false);
        let stem = self.languages[language as usize].language.and_then(|spoken| {
            let stem = spoken.stem(word);
            self.find(language, &stem, true)
        });
        (form.is_some() || stem.is_some()).then_some((form.unwrap_or(NOWHERE), stem.unwrap_or(NOWHERE)))
    }

    fn find(&self, language: u32, text: &str, is_stem: bool) -> Option<u32> {
        self.find_hashed(hash_word(text), language, text, is_stem)
    }

    fn find_hashed(&self, hash: u64, language: u32, text: &str, is_stem: bool) -> Option<u32> {
        let is_same = |number: &u32| {
            let word = &self.words[*number as usize];
            word.language == language && (word.stem == *number) == is_stem && self.text(*number) == text
        };
        self.table.find(hash, is_same).copied()
    }
}
