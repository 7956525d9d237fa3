//! The words that filters are written with.

use super::{Comparison, Filter, TimeField};

/// Every key of the JSON form.
pub(super) const KEYS: &[&str] = &[
    "all",
    "any",
    "not",
    "category",
    "type",
    "source",
    "sender",
    "urgency",
    "certainty",
    "status",
    "state",
    "severity_min",
    "measure",
    "text",
    "country",
    "region",
    "area_code",
    "near",
    "bbox",
    "within",
    "time",
];

/// The times of an event by name.
pub(super) const TIME_FIELDS: &[(&str, TimeField)] = &[
    ("occurred", TimeField::Occurred),
    ("sent", TimeField::Sent),
    ("effective", TimeField::Effective),
    ("onset", TimeField::Onset),
    ("expires", TimeField::Expires),
    ("ends", TimeField::Ends),
    ("updated", TimeField::Updated),
    ("received", TimeField::Received),
];

const COMPARISONS: &[(&str, Comparison)] = &[
    ("=", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    (">", Comparison::Greater),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
];

impl TimeField {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        TIME_FIELDS.iter().find(|(_, field)| *field == self).map_or("received", |(name, _)| name)
    }

    /// The time of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        TIME_FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }
}

impl Comparison {
    /// Its sign.
    pub fn as_str(self) -> &'static str {
        COMPARISONS.iter().find(|(_, comparison)| *comparison == self).map_or("=", |(sign, _)| sign)
    }

    /// The comparison of this sign.
    pub fn from_sign(sign: &str) -> Option<Self> {
        COMPARISONS.iter().find(|(known, _)| *known == sign).map(|(_, comparison)| *comparison)
    }
}

impl Filter {
    /// Its key in the JSON form.
    pub(super) const fn key(&self) -> &'static str {
        match self {
            Self::All(_) => "all",
            Self::Any(_) => "any",
            Self::Not(_) => "not",
            Self::Category(_) => "category",
            Self::Type(_) => "type",
            Self::Source(_) => "source",
            Self::Sender(_) => "sender",
            Self::Urgency(_) => "urgency",
            Self::Certainty(_) => "certainty",
            Self::Status(_) => "status",
            Self::State(_) => "state",
            Self::SeverityMin { .. } => "severity_min",
            Self::Measure { .. } => "measure",
            Self::Text(_) => "text",
            Self::Country(_) => "country",
            Self::Region(_) => "region",
            Self::AreaCode(_) => "area_code",
            Self::Near { .. } => "near",
            Self::Bbox(_) => "bbox",
            Self::Within(_) => "within",
            Self::Time { .. } => "time",
        }
    }
}

/// `; did you mean ...?` where one of `known` is close to `word`, else nothing.
pub(super) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let word: String = word.chars().take(64).collect::<String>().to_lowercase();
    let far = 1 + word.chars().count() / 3;
    let close = known.into_iter().map(|known| (distance(&word, &known.to_lowercase()), known));
    let best = close.filter(|(distance, _)| *distance <= far).min_by_key(|(distance, _)| *distance);
    best.map_or_else(String::new, |(_, known)| format!("; did you mean `{known}`?"))
}

/// How many letters must be added, dropped or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, known) in other.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *known);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

/// At most 64 letters of what was written, for a message.
pub(super) fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(64).collect();
    if letters.next().is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_what_is_close() {
        assert_eq!(suggestion("severity", KEYS.iter().copied()), "");
        assert_eq!(suggestion("catgory", KEYS.iter().copied()), "; did you mean `category`?");
        assert_eq!(suggestion("areaCode", KEYS.iter().copied()), "; did you mean `area_code`?");
        assert_eq!(suggestion("xyz", KEYS.iter().copied()), "");
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
