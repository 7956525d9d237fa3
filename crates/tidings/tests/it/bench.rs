//! `tidings bench` measures, and puts a limit beside each figure.

use std::process::Command;

use serde_json::Value;

#[test]
fn every_row_has_a_limit() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command.args(["bench", "--quick", "-o", "json", "--data"]).arg(data.path().join("new"));
    for row in ["intake", "accept", "fanout", "tenants"] {
        command.args(["--row", row]);
    }
    let output = command.output().expect("the binary was built");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(printed["machine"]["cores"].as_u64().is_some_and(|cores| cores > 0), "{printed}");
    let rows = printed["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 10, "{printed}");
    for row in rows {
        let value = |name: &str| row[name]["value"].as_f64().unwrap_or_default();
        assert!(value("measured") > 0.0 && value("limit") > 0.0, "{row}");
        assert!(row["goal"].is_string() && row["met"].is_boolean(), "{row}");
    }
    assert!(!data.path().join("new").exists(), "it leaves nothing behind");
}
