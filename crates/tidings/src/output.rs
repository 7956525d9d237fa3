//! What commands print on stdout: JSON, lines and tables.

use std::io::{self, Write};

use serde_json::Value;

/// Between two columns.
const GAP: usize = 2;
/// A last column that has less room is left out.
const CUT_MIN: usize = 12;

/// Prints a line. A reader that has gone away ends the command, see `exit::report`.
///
/// # Errors
/// When stdout cannot be written.
pub fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints JSON for people, keys in a stable order.
///
/// # Errors
/// When stdout cannot be written.
pub fn json(value: &Value) -> anyhow::Result<()> {
    Ok(line(&serde_json::to_string_pretty(value)?)?)
}

/// The text member of an object; empty where it is not there.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The list in an answer's `data`.
pub fn data(answer: Value) -> Vec<Value> {
    match answer {
        Value::Object(mut members) => match members.remove("data") {
            Some(Value::Array(data)) => data,
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Aligned columns under a header, without lines around them.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// With this header.
    pub fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(|name| (*name).to_owned()).collect()] }
    }

    /// Adds a row; what would break it apart is replaced by spaces.
    pub fn row(&mut self, cells: &[&str]) {
        let plain = |cell: &&str| cell.replace(|letter: char| letter.is_control(), " ");
        self.rows.push(cells.iter().map(plain).collect());
    }

    /// Prints it; within `width` letters, where one is given, the first column stays whole and those
    /// on the right are cut or left out.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn print(&self, width: Option<usize>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for line in self.lines(width) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn lines(&self, width: Option<usize>) -> Vec<String> {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let letters = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let mut widths: Vec<usize> = (0..count).map(letters).collect();
        if let Some(width) = width {
            fit(&mut widths, width);
        }
        self.rows.iter().map(|row| render(row, &widths)).collect()
    }
}

/// Cuts the first column that does not fit, and leaves out those after it.
fn fit(widths: &mut Vec<usize>, width: usize) {
    let mut used = 0;
    for index in 0..widths.len() {
        let begin = if index == 0 { 0 } else { used + GAP };
        if index > 0 && begin + widths[index] > width {
            let room = width.saturating_sub(begin);
            widths[index] = room;
            widths.truncate(if room >= CUT_MIN { index + 1 } else { index });
            return;
        }
        used = begin + widths[index];
    }
}

fn render(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (index, (cell, width)) in row.iter().zip(widths).enumerate() {
        if index > 0 {
            line.push_str(&" ".repeat(GAP));
        }
        let cut: String = match cell.chars().count() > *width {
            true => cell.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
            false => cell.clone(),
        };
        line.push_str(&format!("{cut:<width$}"));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_fit() {
        let mut table = Table::new(&["ID", "CAUSE", "DETAIL"]);
        table.row(&["dlq_1", "invalid_coordinates", "a latitude is\nat most 90"]);
        table.row(&["dlq_22", "ä", ""]);
        let whole = [
            "ID      CAUSE                DETAIL",
            "dlq_1   invalid_coordinates  a latitude is at most 90",
            "dlq_22  ä",
        ];
        assert_eq!(table.lines(None), whole);
        assert_eq!(table.lines(Some(42))[1], "dlq_1   invalid_coordinates  a latitude i…");
        assert_eq!(table.lines(Some(38))[1], "dlq_1   invalid_coordinates");
        assert_eq!(table.lines(Some(3))[2], "dlq_22");
    }
}
