//! Words of a text: NFKC, case fold, UAX 29 words, pairs of letters for scripts without spaces.
//!
//! Apostrophes break words, as UAX 29 suggests for French and Italian, so `l'inondation` holds
//! `inondation`. Han, kana, hangul and the scripts of Southeast Asia have no reliable word bounds
//! without a dictionary; their runs are cut into overlapping pairs.

mod stems;

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::{UnicodeNormalization, is_nfkc};
use unicode_segmentation::UnicodeSegmentation;

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The word, normalized.
    pub text: String,
    /// Its place in the text; words that follow each other differ by one.
    pub position: u32,
}

/// The words of a text that is searched, in order. In scripts without spaces every letter stands
/// beside the pair that begins with it, so that a single letter can be found too.
pub fn tokenize(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for_each_token(text, |text, position| tokens.push(Token { text: text.to_owned(), position }));
    tokens
}

/// Hands each word of [`tokenize`] and its position to `visit`, without keeping them.
pub(crate) fn for_each_token(text: &str, visit: impl FnMut(&str, u32)) {
    split(text, true, visit);
}

/// The words of a text that is searched for; in order, to be found at successive positions.
pub fn tokenize_query(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    split(text, false, |text, position| tokens.push(Token { text: text.to_owned(), position }));
    tokens
}

/// A text in NFKC with case folded and curly apostrophes made straight.
pub fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let folded: String = text.nfkc().flat_map(fold).collect();
    Cow::Owned(if is_nfkc(&folded) { folded } else { folded.nfkc().collect() })
}

/// Upper case, then lower case, letter by letter: the full case folding of Unicode, but for the
/// dotless i, which becomes a plain one.
fn fold(letter: char) -> impl Iterator<Item = char> {
    let letter = if letter == '\u{2019}' { '\'' } else { letter };
    letter.to_uppercase().flat_map(char::to_lowercase)
}

fn split(text: &str, with_single_letters: bool, mut visit: impl FnMut(&str, u32)) {
    let normalized = normalize(text);
    let mut position = 0;
    let mut run = String::new();
    let mut run_end = 0;
    for (start, word) in normalized.unicode_word_indices() {
        let unspaced = word.chars().next().is_some_and(is_unspaced);
        if !run.is_empty() && (!unspaced || start != run_end) {
            position = split_run(&run, position, with_single_letters, &mut visit);
            run.clear();
        }
        if unspaced {
            run.push_str(word);
            run_end = start + word.len();
            continue;
        }
        for part in word.split('\'').filter(|part| !part.is_empty()) {
            visit(part, position);
            position += 1;
        }
    }
    split_run(&run, position, with_single_letters, &mut visit);
}

/// Cuts letters without spaces into pairs; answers the position after them.
fn split_run(run: &str, position: u32, with_single_letters: bool, visit: &mut impl FnMut(&str, u32)) -> u32 {
    let mut position = position;
    let mut letters = run.char_indices().peekable();
    let is_single = run.chars().nth(1).is_none();
    while let Some((start, letter)) = letters.next() {
        let after = start + letter.len_utf8();
        if with_single_letters || is_single {
            visit(&run[start..after], position);
        }
        if let Some((_, next)) = letters.peek() {
            visit(&run[start..after + next.len_utf8()], position);
        }
        position += 1;
    }
    position
}

/// True for letters of scripts that are written without spaces, or whose words are not what is
/// searched for: Thai, Lao, Myanmar, Khmer, Han, kana, hangul.
const fn is_unspaced(letter: char) -> bool {
    matches!(letter as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x1100..=0x11FF
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x3130..=0x318F | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF
        | 0xA960..=0xA97F | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

/// A language whose words can be reduced to stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language(Algorithm);

impl std::hash::Hash for Language {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.0 as u8).hash(state);
    }
}

/// Primary subtags of BCP 47 with their Snowball stemmers.
const LANGUAGES: &[(&str, Algorithm)] = &[
    ("en", Algorithm::English),
    ("ar", Algorithm::Arabic),
    ("da", Algorithm::Danish),
    ("nl", Algorithm::Dutch),
    ("fi", Algorithm::Finnish),
    ("fr", Algorithm::French),
    ("de", Algorithm::German),
    ("el", Algorithm::Greek),
    ("hu", Algorithm::Hungarian),
    ("it", Algorithm::Italian),
    ("nb", Algorithm::Norwegian),
    ("nn", Algorithm::Norwegian),
    ("no", Algorithm::Norwegian),
    ("pt", Algorithm::Portuguese),
    ("ro", Algorithm::Romanian),
    ("ru", Algorithm::Russian),
    ("es", Algorithm::Spanish),
    ("sv", Algorithm::Swedish),
    ("ta", Algorithm::Tamil),
    ("tr", Algorithm::Turkish),
];

impl Language {
    /// The language of a BCP 47 tag; `None` when its words have no stems here.
    pub fn of(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(primary)).map(|(_, stemmer)| Self(*stemmer))
    }

    /// A number below 31 that no other language has.
    pub(crate) const fn number(self) -> u32 {
        self.0 as u32
    }

    /// Every language with stems, once.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().filter(|(name, _)| !matches!(*name, "nn" | "no")).map(|(_, stemmer)| Self(*stemmer))
    }

    /// The stem of a normalized word.
    pub fn stem(self, word: &str) -> Cow<'_, str> {
        Stemmer::create(self.0).stem(word)
    }

    /// Adds the stem of a normalized word to a text: as [`Language::stem`], but remembered for
    /// words that come again. `hash` is any hash of the word.
    pub(crate) fn push_stem(self, word: &str, hash: u64, text: &mut String) {
        stems::push(self, word, hash, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let words: Vec<String> = tokenize_query(text).into_iter().map(|token| token.text).collect();
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn cuts_words() {
        check("Severe FLOOD-Warning, M6.1!", &["severe", "flood", "warning", "m6.1"]);
        check("L’inondation d'été", &["l", "inondation", "d", "été"]);
        check("Straße ΟΔΟΣ ﬁre", &["strasse", "οδοσ", "fire"]);
        check("ＡＢＣ １２", &["abc", "12"]);
        check("İstanbul ISPARTA ısparta", &["i\u{307}stanbul", "isparta", "isparta"]);
        check("", &[]);
        check("-- ' --", &[]);
    }

    #[test]
    fn cuts_pairs_where_there_are_no_spaces() {
        check("大阪地震", &["大阪", "阪地", "地震"]);
        check("震", &["震"]);
        check("東京 M6", &["東京", "m6"]);
        check("지진이", &["지진", "진이"]);
        check("カタカナ語", &["カタ", "タカ", "カナ", "ナ語"]);
        check("น้ำท่วม", &["น้", "้\u{e4d}", "\u{e4d}า", "าท", "ท่", "่ว", "วม"]);
    }

    #[test]
    fn searched_text_holds_single_letters_at_the_places_of_pairs() {
        let tokens: Vec<_> = tokenize("大阪 M6").into_iter().map(|token| (token.text, token.position)).collect();
        let expected = [("大", 0), ("大阪", 0), ("阪", 1), ("m6", 2)].map(|(text, at)| (text.to_owned(), at));
        assert_eq!(tokens, expected);
    }

    #[test]
    fn stems_by_language() {
        let english = Language::of("en-US").expect("English has stems");
        assert_eq!(english.stem("flooding"), english.stem("floods"));
        assert_eq!(Language::of("und"), None);
        assert_eq!(Language::of("ja"), None);
        assert_eq!(Language::all().count(), 18);
    }
}
