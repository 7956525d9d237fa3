//! The text form of a filter: `category = earthquake and near(43.1, 12.5, 200 km)`.
//!
//! ```text
//! filter    := and ("or" and)*           and := not ("and" not)*         not := "not" not | item
//! item      := "(" filter ")" | ("all" | "any") "(" [filter ("," filter)*] ")" | condition
//! condition := KEY ("=" | "!=") value | KEY ["not"] "in" "(" value ("," value)* ")"
//!            | "severity" ">=" value [("with" | "without") "unknown"]
//!            | NAME OP number | "measure" "(" name ")" OP number
//!            | "text" "=" line | "text" "(" ("any" | "all" | "none") "(" entries ")" ["," ...] ")"
//!            | "near" "(" lat "," lon "," radius "km" ")" | "bbox" "(" west "," south "," east "," north ")"
//!            | "within" "(" "polygon" "(" ring ("," ring)* ")" ["," ...] ")"    ring := "(" lon lat ("," lon lat)* ")"
//!            | TIME ["from" time] ["to" time] | TIME (">=" | "<=") time
//! ```
//!
//! A value that is not a plain word stands in quotes, with the escapes of JSON.

mod lex;
mod parse;
mod condition;
mod place;
mod print;

use super::{Fault, Filter, check};

pub(super) use parse::read;

impl Filter {
    /// Reads the text form. An empty text holds for every event.
    ///
    /// # Errors
    /// Every fault, each with the column where it stands.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        check::whole(text.len(), |faults| read(text, "", faults))
    }
}

impl std::fmt::Display for Filter {
    /// The text form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        print::filter(f, self)
    }
}
