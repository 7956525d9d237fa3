//! The entries of a text query: words, and phrases in quotes.

use super::TextQuery;

impl TextQuery {
    /// Several words and `"phrases"` of which all must be found. A quote that is not closed reaches
    /// to the end.
    pub fn all_of(text: &str) -> Self {
        Self { all: split(text), ..Self::default() }
    }

    /// The short form, where the query asks for all of some single words and phrases and nothing
    /// else.
    pub(super) fn as_line(&self) -> Option<String> {
        let only_all = self.any.is_empty() && self.none.is_empty() && !self.all.is_empty();
        let each_is_one = self.all.iter().all(|entry| matches!(split(entry).as_slice(), [one] if one == entry));
        (only_all && each_is_one).then(|| self.all.join(" "))
    }

    /// Its lists with their names.
    pub(super) fn lists(&self) -> [(&'static str, &Vec<String>); 3] {
        [("any", &self.any), ("all", &self.all), ("none", &self.none)]
    }
}

fn split(text: &str) -> Vec<String> {
    let mut entries = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        if index % 2 == 0 {
            entries.extend(part.split_whitespace().map(str::to_owned));
        } else if !part.trim().is_empty() {
            entries.push(format!("\"{part}\""));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let query = TextQuery::all_of(text);
        assert_eq!(query.all, expected);
        if !expected.is_empty() {
            let line = query.as_line().expect("it came from a line");
            assert_eq!(TextQuery::all_of(&line), query);
        }
    }

    #[test]
    fn splits_words_and_phrases() {
        check(r#" flood  "storm surge" coast"#, &["flood", "\"storm surge\"", "coast"]);
        check(r#"pre"fix "open end"#, &["pre", "\"fix \"", "open", "end"]);
        check(r#"a "b"#, &["a", "\"b\""]);
        check(r#" "" "#, &[]);
    }

    #[test]
    fn an_entry_of_several_words_has_no_short_form() {
        let query = TextQuery { all: vec!["heavy rain".to_owned()], ..TextQuery::default() };
        assert_eq!(query.as_line(), None);
    }
}
