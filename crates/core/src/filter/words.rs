//! Finding words and phrases in the texts of an event.

use std::hash::BuildHasher;
use std::sync::LazyLock;

use hashbrown::{HashMap, HashSet};

use crate::event::SegmentView;
use crate::tokenize::{Language, tokenize, tokenize_query};

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
    keys: WordKeys,
}

/// Every form and stem side by side, each with its hash: what a matcher looks its queries up by.
#[derive(Debug, Clone, Default)]
pub(crate) struct WordKeys {
    /// See [`hash_word`].
    pub(crate) hashes: Vec<u64>,
    /// Of stems the language, and where the text ends.
    spans: Vec<(Option<Language>, u32)>,
    texts: String,
}

impl WordKeys {
    fn add(&mut self, text: &str, language: Option<Language>) {
        self.texts.push_str(text);
        self.hashes.push(hash_word(text));
        self.spans.push((language, u32::try_from(self.texts.len()).unwrap_or(u32::MAX)));
    }

    /// The form or stem of a number, and of a stem the language.
    pub(crate) fn get(&self, number: usize) -> (&str, Option<Language>) {
        let start = number.checked_sub(1).map_or(0, |before| self.spans[before].1);
        let (language, end) = self.spans[number];
        (self.texts.get(start as usize..end as usize).unwrap_or_default(), language)
    }
}

/// The hash of a word or stem, the same for equal words as long as the process lives.
pub(crate) fn hash_word(text: &str) -> u64 {
    static HASHER: LazyLock<foldhash::fast::RandomState> = LazyLock::new(foldhash::fast::RandomState::default);
    HASHER.hash_one(text)
}

/// Words in one language and the places where they stand.
#[derive(Debug, Clone)]
struct LanguageWords {
    tag: String,
    language: Option<Language>,
    forms: HashMap<String, Vec<u32>, foldhash::fast::RandomState>,
    stems: HashMap<String, Vec<u32>, foldhash::fast::RandomState>,
    next_position: u32,
}

impl WordIndex {
    /// Reads the title, taken to be in the first text's language, and the texts of a segment.
    pub(super) fn new(title: &str, segment: &SegmentView<'_>) -> Self {
        let mut index = Self::default();
        let first = segment.texts.first();
        // A title is mostly the first headline, whose words need not be read twice.
        if first.and_then(|text| text.headline.as_deref()) != Some(title) {
            index.add(first.map_or("und", |text| text.lang.as_str()), title);
        }
        for text in segment.texts {
            for field in [&text.event, &text.headline, &text.description, &text.instruction].into_iter().flatten() {
                index.add(&text.lang, field);
            }
        }
        for language in &mut index.languages {
            language.find_stems();
        }
        for words in &index.languages {
            words.forms.keys().for_each(|form| index.keys.add(form, None));
            words.stems.keys().for_each(|stem| index.keys.add(stem, words.language));
        }
        index
    }

    fn add(&mut self, tag: &str, text: &str) {
        let at = self.languages.iter().position(|language| language.tag == tag).unwrap_or_else(|| {
            self.languages.push(LanguageWords {
                tag: tag.to_owned(),
                language: Language::of(tag),
                forms: HashMap::default(),
                stems: HashMap::default(),
                next_position: 0,
            });
            self.languages.len() - 1
        });
        self.languages[at].add(text);
    }

    /// Every distinct word, with the language it stands in.
    pub fn words(&self) -> impl Iterator<Item = (&str, Option<Language>)> {
        self.languages.iter().flat_map(|words| words.forms.keys().map(|form| (form.as_str(), words.language)))
    }

    /// Every distinct stem, with its language.
    pub fn stems(&self) -> impl Iterator<Item = (&str, Language)> {
        let known = self.languages.iter().filter_map(|words| Some((words, words.language?)));
        known.flat_map(|(words, language)| words.stems.keys().map(move |stem| (stem.as_str(), language)))
    }

    /// Every word as it stands, and every stem with its language.
    pub(crate) const fn keys(&self) -> &WordKeys {
        &self.keys
    }

    /// True where every phrase of an entry is found. An entry of signs only, which
    /// has no phrase, is never found.
    pub(super) fn has_entry(&self, entry: &Entry) -> bool {
        !entry.is_empty() && entry.iter().all(|phrase| self.languages.iter().any(|words| words.has_phrase(phrase)))
    }
}

impl LanguageWords {
    fn add(&mut self, text: &str) {
        let mut end = self.next_position;
        for token in tokenize(text) {
            let position = self.next_position + token.position;
            end = position + 1;
            self.forms.entry(token.text).or_default().push(position);
        }
        // A gap, so that no phrase runs from one text into the next.
        self.next_position = end + 1;
    }

    fn find_stems(&mut self) {
        let Some(language) = self.language else { return };
        for (form, positions) in &self.forms {
            self.stems.entry(language.stem(form).into_owned()).or_default().extend_from_slice(positions);
        }
    }

    fn stem_positions(&self, word: &str) -> &[u32] {
        let stem = self.language.map(|language| language.stem(word));
        stem.and_then(|stem| self.stems.get(&*stem)).map_or(&[], Vec::as_slice)
    }

    fn form_positions(&self, word: &str) -> &[u32] {
        self.forms.get(word).map_or(&[], Vec::as_slice)
    }

    fn has_phrase(&self, phrase: &Phrase) -> bool {
        match &**phrase {
            [] => false,
            [word] => self.forms.contains_key(&**word) || !self.stem_positions(word).is_empty(),
            [first, rest @ ..] => {
                let at = |word: &str| [self.form_positions(word), self.stem_positions(word)].concat();
                let mut ends: HashSet<u32, foldhash::fast::RandomState> = at(first).into_iter().collect();
                for word in rest {
                    ends = at(word).into_iter().filter(|position| ends.contains(&position.wrapping_sub(1))).collect();
                }
                !ends.is_empty()
            }
        }
    }
}
