//! One sentence that says why an event was told.

use super::compile::{Compiled, Leaf, Literal, Node, Program};
use super::condition::alternatives;
use super::evaluate::Subject;
use super::{Comparison, Measure};
use crate::vocabulary::Severity;

impl Compiled {
    /// One sentence that says why a matching segment matches: `earthquake M 6.1, 41 km from your
    /// circle's center, at least M 4`.
    pub fn reason(&self, subject: &Subject<'_>, segment: usize) -> String {
        let mut held = Vec::new();
        self.program().collect_held(subject, segment, &mut held);
        let (places, others): (Vec<&Literal>, Vec<&Literal>) =
            held.into_iter().filter(|literal| !literal.negated).partition(|literal| literal.leaf.is_place());
        let mut clauses = vec![what(subject, segment)];
        for literal in places.into_iter().chain(others) {
            clauses.extend(clause(&literal.leaf, subject, segment).filter(|clause| !clauses.contains(clause)));
        }
        clauses.join(", ")
    }
}

impl Program {
    /// The literals of the first way in which the filter holds.
    fn collect_held<'a>(&'a self, subject: &Subject<'_>, segment: usize, held: &mut Vec<&'a Literal>) {
        match self.tree() {
            None => held.extend(self.literals()),
            Some(tree) => {
                collect(tree, self.literals(), &|literal| literal.holds(subject, segment), held);
            }
        }
    }
}

/// Adds the literals that make a node true; answers whether it is.
fn collect<'a>(
    node: &Node,
    literals: &'a [Literal],
    holds: &dyn Fn(&Literal) -> bool,
    held: &mut Vec<&'a Literal>,
) -> bool {
    let before = held.len();
    let is_true = match node {
        Node::Literal(index) => literals.get(usize::from(*index)).is_some_and(|literal| {
            held.push(literal);
            holds(literal)
        }),
        Node::All(nodes) => nodes.iter().all(|node| collect(node, literals, holds, held)),
        Node::Any(nodes) => nodes.iter().any(|node| collect(node, literals, holds, held)),
    };
    if !is_true {
        held.truncate(before);
    }
    is_true
}

/// What happened: `earthquake M 6.1`, `Extreme flash flood`, `Severe thunderstorm`.
fn what(subject: &Subject<'_>, segment: usize) -> String {
    let view = subject.segment(segment);
    let name = name_of(view.kind).unwrap_or_else(|| view.category.as_str().replace('_', " "));
    match (subject.event().measures.get("magnitude"), view.severity) {
        (Some(magnitude), _) => format!("{name} M {magnitude}"),
        (None, Severity::Unknown) => name,
        (None, Severity::Severe) if name.starts_with("severe ") => name.replacen("severe", "Severe", 1),
        (None, severity) => format!("{severity} {name}"),
    }
}

/// A type in words: its last one, with the one before where it only says which: `flood.flash` is a
/// flash flood.
fn name_of(kind: &str) -> Option<String> {
    let mut words = kind.rsplit('.').map(|word| word.replace('_', " "));
    let last = words.next().filter(|word| !word.is_empty())?;
    match last.as_str() {
        "severe" | "flash" | "river" | "coastal" | "road" | "rail" | "structure" => {
            words.next().map(|what| format!("{last} {what}")).or(Some(last))
        }
        _ => Some(last),
    }
}

/// What one condition that holds adds to the sentence; `None` where that goes without saying.
fn clause(leaf: &Leaf, subject: &Subject<'_>, segment: usize) -> Option<String> {
    let (event, view) = (subject.event(), subject.segment(segment));
    if leaf.needs_shape() && subject.coarse_answer(segment).is_some() {
        return Some(format!("place known by {} only", view.place_precision));
    }
    Some(match leaf {
        Leaf::Near(center, _) => match subject.geometry(segment)?.distance_km(*center) {
            0.0 => "over your circle's center".to_owned(),
            near if near < 10.0 => format!("{near:.1} km from your circle's center"),
            distance => format!("{distance:.0} km from your circle's center"),
        },
        Leaf::Bbox(_) => "in your box".to_owned(),
        Leaf::Within(_) => "in your area".to_owned(),
        Leaf::Country(wanted) => format!("in {}", both(&subject.place(segment)?.countries, wanted)),
        Leaf::Region(wanted) => format!("in {}", both(&subject.place(segment)?.regions, wanted)),
        Leaf::AreaCode(wanted) => {
            let code = subject.codes(segment).find(|code| {
                wanted.iter().any(|wanted| {
                    wanted.scheme.eq_ignore_ascii_case(&code.scheme) && wanted.value.eq_ignore_ascii_case(&code.value)
                })
            })?;
            format!("in {} {}", code.scheme, code.value)
        }
        Leaf::Measure(measure) => measure_clause(measure, *event.measures.get(&*measure.name)?),
        Leaf::SeverityMin(..) if view.severity == Severity::Unknown => "severity not said".to_owned(),
        Leaf::SeverityMin(at_least, _) => format!("at least {at_least}"),
        Leaf::Source(_) => format!("from {}", event.source),
        Leaf::Sender(_) => format!("from {}", event.sender),
        Leaf::Urgency(_) => format!("urgency {}", view.urgency),
        Leaf::Certainty(_) => format!("certainty {}", view.certainty),
        Leaf::Text(query) => {
            let wanted = query.all.iter().chain(&query.any);
            let found = wanted.filter(|entry| subject.words(segment).has_entry(entry));
            let words: Vec<String> = found.flat_map(|entry| entry.iter().map(|phrase| phrase.join(" "))).collect();
            if words.is_empty() {
                return None;
            }
            format!("its text has {}", words.join(", "))
        }
        Leaf::Category(_) | Leaf::Type(_) | Leaf::Status(_) | Leaf::State(_) | Leaf::Time(_) => return None,
    })
}

/// The codes that both have.
fn both(codes: &[String], wanted: &[Box<str>]) -> String {
    let is_wanted = |code: &&String| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(code));
    let both: Vec<&String> = codes.iter().filter(is_wanted).collect();
    alternatives(&both)
}

fn measure_clause(measure: &Measure, actual: f64) -> String {
    let Measure { name, op, value } = measure;
    let how = match op {
        Comparison::Equal => "exactly",
        Comparison::NotEqual => "other than",
        Comparison::Less => "below",
        Comparison::AtMost => "at most",
        Comparison::Greater => "above",
        Comparison::AtLeast => "at least",
    };
    if &**name == "magnitude" { format!("{how} M {value}") } else { format!("{name} {actual} is {how} {value}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_people_do() {
        let check = |kind: &str, expected: &str| assert_eq!(name_of(kind).as_deref(), Some(expected));
        check("flood.flash", "flash flood");
        check("weather.thunderstorm.severe", "severe thunderstorm");
        check("weather.marine.small_craft", "small craft");
        check("river", "river");
        assert_eq!(name_of(""), None);
    }
}
