//! Counting how documents ended, a line a file.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};
use tidings_core::rejection::Outcome;

/// Counts by file, in order of appearance.
#[derive(Debug)]
pub struct Tally {
    files: Vec<(String, Counts)>,
    progress: Option<ProgressBar>,
}

/// How the messages of one file ended.
#[derive(Debug, Clone, Default, Serialize)]
struct Counts {
    documents: u64,
    messages: u64,
    accepted: u64,
    duplicates: u64,
    rejected: u64,
    failed: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reasons: BTreeMap<String, u64>,
}

impl Tally {
    /// Nothing counted yet; progress is shown where someone looks.
    pub fn new(shows_progress: bool) -> Self {
        let style = ProgressStyle::with_template("{spinner} {pos} messages, {per_sec}").ok();
        let progress = style.filter(|_| shows_progress).map(|style| ProgressBar::new_spinner().with_style(style));
        Self { files: Vec::new(), progress }
    }

    /// Counts the outcomes of one document.
    pub fn count(&mut self, file: &str, outcomes: &[Outcome]) {
        let names = outcomes.iter().map(|outcome| match outcome {
            Outcome::Rejected { rejection, .. } => (outcome.as_str(), Some(rejection.reason.as_str().to_owned())),
            _ => (outcome.as_str(), None),
        });
        self.add(file, names.collect());
    }

    /// Counts a server's answer to one document.
    pub fn count_answer(&mut self, file: &str, answer: &Value) {
        let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let results = answer.get("results").and_then(Value::as_array);
        let names = results.into_iter().flatten().map(|result| {
            let status = match text(result, "/status").as_deref() {
                Some("accepted") => "accepted",
                Some("duplicate") => "duplicate",
                Some("rejected") => "rejected",
                _ => "failed",
            };
            (status, text(result, "/problem/code"))
        });
        self.add(file, names.collect());
    }

    fn add(&mut self, file: &str, outcomes: Vec<(&'static str, Option<String>)>) {
        if self.files.last().is_none_or(|(last, _)| last != file) {
            self.files.push((file.to_owned(), Counts::default()));
        }
        let Some((_, counts)) = self.files.last_mut() else { return };
        counts.documents += 1;
        counts.messages += outcomes.len() as u64;
        self.progress.iter().for_each(|progress| progress.inc(outcomes.len() as u64));
        for (status, reason) in outcomes {
            match status {
                "accepted" => counts.accepted += 1,
                "duplicate" => counts.duplicates += 1,
                "rejected" => counts.rejected += 1,
                _ => counts.failed += 1,
            }
            if let Some(reason) = reason {
                *counts.reasons.entry(reason).or_default() += 1;
            }
        }
    }

    /// True where nothing was refused.
    pub fn is_clean(&self) -> bool {
        self.files.iter().all(|(_, counts)| counts.rejected == 0 && counts.failed == 0)
    }

    /// Prints the counts on stdout.
    pub fn print(&self, as_json: bool) {
        self.progress.iter().for_each(ProgressBar::finish_and_clear);
        let total = self.total();
        if as_json {
            let files: Vec<Value> =
                self.files.iter().map(|(file, counts)| json!({"file": file, "counts": counts})).collect();
            println!("{}", json!({"files": files, "total": total}));
            return;
        }
        println!("{:>9} {:>9} {:>10} {:>8} {:>6}  file", "messages", "accepted", "duplicates", "rejected", "failed");
        for (file, counts) in &self.files {
            print_line(file, counts);
        }
        if self.files.len() != 1 {
            print_line("total", &total);
        }
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for (_, counts) in &self.files {
            total.documents += counts.documents;
            total.messages += counts.messages;
            total.accepted += counts.accepted;
            total.duplicates += counts.duplicates;
            total.rejected += counts.rejected;
            total.failed += counts.failed;
            for (reason, count) in &counts.reasons {
                *total.reasons.entry(reason.clone()).or_default() += count;
            }
        }
        total
    }
}

fn print_line(name: &str, counts: &Counts) {
    let Counts { messages, accepted, duplicates, rejected, failed, .. } = counts;
    let reasons: Vec<String> = counts.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!("  ({})", reasons.join(", ")) };
    println!("{messages:>9} {accepted:>9} {duplicates:>10} {rejected:>8} {failed:>6}  {name}{reasons}");
}
