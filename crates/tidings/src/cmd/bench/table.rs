//! The table as people and as programs read it.

use serde_json::{Value, json};

use super::machine::Machine;
use super::row::{Figure, Row};

/// Prints for people.
pub(super) fn print(machine: &Machine, rows: &[Row]) {
    println!("{machine}\n");
    let mut lines = vec![["row", "what", "measured", "limit", "the limit is", "ratio", "goal", ""].map(str::to_owned)];
    lines.extend(rows.iter().map(line));
    let widths: Vec<usize> = (0..lines[0].len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default())
        .collect();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn line(row: &Row) -> [String; 8] {
    [
        row.name.to_owned(),
        row.what.clone(),
        row.measured.to_string(),
        row.limit.to_string(),
        row.limit_is.clone(),
        format!("{:.2}", row.ratio()),
        row.goal.to_string(),
        if row.is_met() { "met" } else { "missed" }.to_owned(),
    ]
}

/// Prints for programs.
pub(super) fn print_json(machine: &Machine, rows: &[Row]) {
    let figure = |figure: Figure| json!({ "value": figure.value(), "unit": figure.unit() });
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "row": row.name, "what": row.what, "measured": figure(row.measured), "limit": figure(row.limit),
                "limit_is": row.limit_is, "ratio": row.ratio(), "goal": row.goal.to_string(), "met": row.is_met(),
            })
        })
        .collect();
    println!("{:#}", json!({ "machine": machine.to_json(), "rows": rows }));
}
