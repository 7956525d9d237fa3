//! What comes in a form or a query: each name once, and an empty value as good as none (RFC 6749, section 3.1).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The parameters of one request.
#[derive(Clone, Default)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    repeated: Vec<String>,
}

impl std::fmt::Debug for Parameters {
    /// Names only: among the values are codes and secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Parameters {
    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// True where a name stands more than once.
    pub fn repeats(&self, name: &str) -> bool {
        self.repeated.iter().any(|repeated| repeated == name)
    }

    /// True where any name stands more than once.
    pub fn repeats_any(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// Every name with its value, in order of names, as a query.
    pub fn to_query(&self) -> String {
        let pairs: Vec<_> = self.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        query_of(&pairs)
    }
}

impl FromIterator<(String, String)> for Parameters {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            match parameters.values.entry(name) {
                Entry::Occupied(there) => parameters.repeated.push(there.key().clone()),
                Entry::Vacant(free) => {
                    free.insert(value);
                }
            }
        }
        parameters
    }
}

/// Names and values as a query, every letter that means something in an address escaped.
pub(super) fn query_of(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_values_are_escaped() {
        let pairs = [("a", "1"), ("b", ""), ("a", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parameters = Parameters::from_iter(pairs);
        assert_eq!((parameters.get("a"), parameters.get("b")), (Some("1"), None));
        assert!(parameters.repeats("a") && !parameters.repeats("b") && parameters.repeats_any());
        assert_eq!(query_of(&[("state", "a&b=\r\n é"), ("x", "~-._")]), "state=a%26b%3D%0D%0A%20%C3%A9&x=~-._");
    }
}
