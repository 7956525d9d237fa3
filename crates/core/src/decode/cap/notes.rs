//! What was repaired in one message, said once per kind.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::decode::xml;
use crate::event::Warning;

/// Repairs and leftovers collected while reading one alert.
#[derive(Debug, Default)]
pub(super) struct Notes {
    warnings: Vec<Warning>,
    /// How often each of `warnings` was found again.
    again: Vec<usize>,
    empty: BTreeSet<String>,
    /// How many areas were read.
    pub(super) areas: usize,
    /// What no field holds.
    pub(super) extra: Map<String, Value>,
}

impl Notes {
    /// Notes a repair. A second one of the same kind is only counted: one message may hold a
    /// thousand rings with the same fault.
    pub(super) fn warn(&mut self, code: &str, pointer: &str, detail: impl Into<String>) {
        match self.warnings.iter().position(|warning| warning.code == code) {
            Some(index) => self.again[index] += 1,
            None => {
                self.warnings.push(Warning::new(code, pointer, detail));
                self.again.push(0);
            }
        }
    }

    /// Takes over the repairs of a shape.
    pub(super) fn take(&mut self, warnings: &mut Vec<Warning>) {
        for warning in warnings.drain(..) {
            self.warn(&warning.code, &warning.pointer, warning.detail);
        }
    }

    /// Notes an element that is there but says nothing.
    pub(super) fn empty(&mut self, name: &str) {
        if self.empty.len() < 32 && !self.empty.contains(name) {
            self.empty.insert(xml::shorten(name).to_owned());
        }
    }

    /// Keeps an element that no field holds.
    pub(super) fn keep(&mut self, name: &str, value: Value) {
        xml::add_member(&mut self.extra, name, value);
    }

    /// The warnings in the order they were found.
    pub(super) fn into_parts(self) -> (Vec<Warning>, Map<String, Value>) {
        let mut warnings = self.warnings;
        for (warning, again) in warnings.iter_mut().zip(self.again) {
            if again > 0 {
                warning.detail.push_str(&format!(" (and {again} more)"));
            }
        }
        if !self.empty.is_empty() {
            let names: Vec<String> = self.empty.into_iter().collect();
            let detail = format!("empty elements were taken as absent: {}", names.join(", "));
            warnings.push(Warning::new("empty_element", "", detail));
        }
        (warnings, self.extra)
    }
}
