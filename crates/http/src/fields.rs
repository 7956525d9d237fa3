//! The members of a JSON body, read one by one; every fault is named, and so is every member that
//! nobody asked for.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Map, Value};
use tidings_core::secret::Secret;
use tidings_engine::Fault;

use crate::error::ApiError;

/// Members named that nobody asked for.
const FAULTS_MAX: usize = 20;

/// What is left of a body, and what was wrong so far.
#[derive(Debug)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    faults: Vec<Fault>,
}

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        Self { members, faults: Vec::new() }
    }

    /// A member as it stands; null is as good as none.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn fault(&mut self, name: &str, code: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault { pointer: format!("/{name}"), code, detail: detail.into() });
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            None => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(name, "invalid_field", format!("`{name}` must be a text"));
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn needed(&mut self, name: &str) -> String {
        let before = self.faults.len();
        let text = self.text(name);
        if text.is_none() && self.faults.len() == before {
            self.fault(name, "missing", format!("`{name}` must be there"));
        }
        text.unwrap_or_default()
    }

    /// A text that is not to be seen.
    pub(crate) fn secret(&mut self, name: &str) -> Option<Secret<String>> {
        self.text(name).map(Secret::new)
    }

    /// A secret that must be there.
    pub(crate) fn needed_secret(&mut self, name: &str) -> Secret<String> {
        Secret::new(self.needed(name))
    }

    /// A text that means something.
    pub(crate) fn read<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        match self.text(name)?.parse() {
            Ok(value) => Some(value),
            Err(cause) => {
                self.fault(name, "invalid_field", format!("`{name}`: {cause}"));
                None
            }
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name) {
            None => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(_) => {
                self.fault(name, "invalid_field", format!("`{name}` must be true or false"));
                None
            }
        }
    }

    /// Ends the reading of a `what`.
    ///
    /// # Errors
    /// Every fault found.
    pub(crate) fn finish(mut self, what: &str) -> Result<(), ApiError> {
        for name in std::mem::take(&mut self.members).keys().take(FAULTS_MAX) {
            let name: String = name.chars().take(64).collect();
            self.fault(&name, "unknown_field", format!("this is not a member of {what}"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(ApiError::invalid(self.faults)) }
    }
}
