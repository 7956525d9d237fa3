//! Counting how documents ended, a line a file.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};
use tidings_core::rejection::Outcome;

use super::documents::Document;
use crate::output;

/// Counts by file, in order of appearance.
#[derive(Debug)]
pub struct Tally {
    files: Vec<(String, Counts)>,
    progress: Option<ProgressBar>,
    refused: usize,
}

/// How one message ended.
#[derive(Debug, Default)]
struct End {
    status: &'static str,
    reason: Option<String>,
    detail: String,
    letter: Option<String>,
}

/// Refused messages that are named one by one.
const SHOWN_MAX: usize = 20;

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
        Self { files: Vec::new(), progress, refused: 0 }
    }

    /// Counts the outcomes of one document.
    pub fn count(&mut self, document: &Document, outcomes: &[Outcome]) {
        let ends = outcomes.iter().map(|outcome| match outcome {
            Outcome::Rejected { rejection, dead_letter } => End {
                status: outcome.as_str(),
                reason: Some(rejection.reason.as_str().to_owned()),
                detail: format!("{} {}", rejection.pointer, rejection.detail).trim().to_owned(),
                letter: Some(dead_letter.to_string()),
            },
            _ => End { status: outcome.as_str(), ..End::default() },
        });
        self.add(document, ends.collect());
    }

    /// Counts a server's answer to one document.
    pub fn count_answer(&mut self, document: &Document, answer: &Value) {
        let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let results = answer.get("results").and_then(Value::as_array);
        let ends = results.into_iter().flatten().map(|result| {
            let status = match text(result, "/status").as_deref() {
                Some("accepted") => "accepted",
                Some("duplicate") => "duplicate",
                Some("rejected") => "rejected",
                _ => "failed",
            };
            let part = |pointer| text(result, pointer).unwrap_or_default();
            End {
                status,
                reason: text(result, "/problem/code"),
                detail: format!("{} {}", part("/problem/pointer"), part("/problem/detail")).trim().to_owned(),
                letter: text(result, "/dead_letter_id"),
            }
        });
        self.add(document, ends.collect());
    }

    /// Says on stderr what was refused and where it is kept, up to a limit.
    fn complain(&mut self, document: &Document, index: usize, count: usize, end: &End) {
        self.refused += 1;
        if self.refused > SHOWN_MAX {
            return;
        }
        let item = if count > 1 { format!(" item {}", index + 1) } else { String::new() };
        let reason = end.reason.as_deref().unwrap_or(end.status);
        let letter = end.letter.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let line = format!("{}:{}{item}: {reason}: {}{letter}", document.file, document.number, end.detail);
        match &self.progress {
            Some(progress) => progress.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn add(&mut self, document: &Document, outcomes: Vec<End>) {
        for (index, end) in outcomes.iter().enumerate() {
            if matches!(end.status, "rejected" | "failed") {
                self.complain(document, index, outcomes.len(), end);
            }
        }
        let file = document.file.as_str();
        if self.files.last().is_none_or(|(last, _)| last != file) {
            self.files.push((file.to_owned(), Counts::default()));
        }
        let Some((_, counts)) = self.files.last_mut() else { return };
        counts.documents += 1;
        counts.messages += outcomes.len() as u64;
        self.progress.iter().for_each(|progress| progress.inc(outcomes.len() as u64));
        for End { status, reason, .. } in outcomes {
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
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, as_json: bool) -> std::io::Result<()> {
        self.progress.iter().for_each(ProgressBar::finish_and_clear);
        let total = self.total();
        if as_json {
            let files: Vec<Value> =
                self.files.iter().map(|(file, counts)| json!({"file": file, "counts": counts})).collect();
            return output::line(&json!({"files": files, "total": total}).to_string());
        }
        if self.files.is_empty() {
            eprintln!("nothing to take in: the paths hold no files");
        }
        if self.refused > SHOWN_MAX {
            eprintln!("… and {} more", self.refused - SHOWN_MAX);
        }
        if self.refused > 0 {
            eprintln!("what was refused is kept: `tidings dlq list`, `tidings dlq raw ID`, `tidings dlq replay ID`");
        }
        let head = ["messages", "accepted", "duplicates", "rejected", "failed"];
        output::line(&format!("{:>9} {:>9} {:>10} {:>8} {:>6}  file", head[0], head[1], head[2], head[3], head[4]))?;
        for (file, counts) in &self.files {
            print_line(file, counts)?;
        }
        if self.files.len() != 1 {
            print_line("total", &total)?;
        }
        Ok(())
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

fn print_line(name: &str, counts: &Counts) -> std::io::Result<()> {
    let Counts { messages, accepted, duplicates, rejected, failed, .. } = counts;
    let reasons: Vec<String> = counts.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!("  ({})", reasons.join(", ")) };
    output::line(&format!("{messages:>9} {accepted:>9} {duplicates:>10} {rejected:>8} {failed:>6}  {name}{reasons}"))
}
