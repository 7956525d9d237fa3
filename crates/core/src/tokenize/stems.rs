//! Stems found before: the texts of events use the same words again and again.

use std::cell::RefCell;

use super::Language;

/// How many words a thread remembers, each in the one place its hash leads to: 64 kB in all.
const PLACES: usize = 1 << 11;
/// Longer words are stemmed anew each time.
const WORD_LENGTH_MAX: usize = 23;
const TAIL_LENGTH_MAX: usize = 5;

thread_local! {
    static REMEMBERED: RefCell<Box<[Remembered]>> = RefCell::new(vec![Remembered::default(); PLACES].into());
}

/// A word in a language and its stem: the first bytes of the word and a tail of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Remembered {
    word: [u8; WORD_LENGTH_MAX],
    word_length: u8,
    language: u8,
    kept: u8,
    tail: [u8; TAIL_LENGTH_MAX],
    tail_length: u8,
}

/// Adds the stem of a word to a text.
pub(super) fn push(language: Language, word: &str, hash: u64, text: &mut String) {
    REMEMBERED.with_borrow_mut(|remembered| {
        let number = language.number();
        let place = &mut remembered[(hash.rotate_left(number) as usize) & (PLACES - 1)];
        if place.is(word, number) && place.push_stem(word, text) {
            return;
        }
        let stem = language.stem(word);
        text.push_str(&stem);
        if let Some(new) = Remembered::new(word, number, &stem) {
            *place = new;
        }
    });
}

impl Remembered {
    /// A word and its stem, where both are short enough.
    fn new(word: &str, language: u32, stem: &str) -> Option<Self> {
        let shared = word.char_indices().zip(stem.chars()).take_while(|((_, one), two)| one == two);
        let kept = shared.map(|((start, letter), _)| start + letter.len_utf8()).last().unwrap_or_default();
        let tail = stem.as_bytes().get(kept..)?;
        let mut new = Self {
            word_length: word.len() as u8,
            language: language as u8,
            kept: kept as u8,
            tail_length: tail.len() as u8,
            ..Self::default()
        };
        new.word.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
        new.tail.get_mut(..tail.len())?.copy_from_slice(tail);
        Some(new)
    }

    fn is(&self, word: &str, language: u32) -> bool {
        u32::from(self.language) == language
            && usize::from(self.word_length) == word.len()
            && self.word.get(..word.len()) == Some(word.as_bytes())
    }

    /// Adds the stem of the word, which is this one's.
    fn push_stem(&self, word: &str, text: &mut String) -> bool {
        let tail = self.tail.get(..usize::from(self.tail_length)).and_then(|tail| std::str::from_utf8(tail).ok());
        let (Some(kept), Some(tail)) = (word.get(..usize::from(self.kept)), tail) else { return false };
        text.push_str(kept);
        text.push_str(tail);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_stem_is_that_of_the_stemmer() {
        let words = [
            "",
            "a",
            "flooding",
            "happiness",
            "dying",
            "überschwemmungen",
            "straße",
            "наводнениями",
            "πλημμύρες",
            "بالفيضانات",
            "sel\u{130}",
            "donaudampfschifffahrtsgesellschaften",
            "yağmurları",
        ];
        for _ in 0..3 {
            for language in Language::all() {
                for word in words {
                    // Few hashes, so that words take each other's places.
                    for hash in [7, word.len() as u64] {
                        let mut text = String::from("x");
                        push(language, word, hash, &mut text);
                        assert_eq!(text[1..], *language.stem(word), "{word} in {language:?}");
                    }
                }
            }
        }
    }
}
