//! `signalbox lab` as a script sees it: data on stdout, messages on stderr, exit codes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::process::{Command, Output};

fn lab(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signalbox")).arg("lab").args(arguments).output().unwrap()
}

#[test]
fn json_on_stdout_has_a_row_for_every_strategy() {
    let arguments = ["--requests", "200", "--hours", "1", "--json", "--strategies"];
    let more = ["cheapest,signalbox", "--provider", r#"{"sort":"latency"}"#, "--seed", "4"];
    let output = lab(&[&arguments[..], &more[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> =
        report["strategies"].as_array().unwrap().iter().map(|row| &row["strategy"]).collect();
    assert_eq!(names, ["cheapest", "signalbox", r#"{"sort":"latency"}"#]);
    assert_eq!(report["strategies"][0]["requests"], 200);
}

#[test]
fn a_mistake_is_one_line_on_stderr_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.jsonl");
    std::fs::write(&bad, "\n{\"time\":1}\n").unwrap();
    let bad = bad.to_str().unwrap();
    for (arguments, said) in [
        (vec!["--requests", "0"], "--requests"),
        (vec!["--rate", "1", "--hours", "1", "--requests", "9"], "--hours"),
        (vec!["--strategies", "best"], "--strategies"),
        (vec!["--provider", "{"], "--provider"),
        (vec!["--outages", "/no/such/file"], "--outages: /no/such/file"),
        (vec!["--workload", bad], "workload, line 2"),
        (vec!["--models", "no/such"], "no/such"),
        (vec!["--config", "/no/such/file"], "/no/such/file"),
    ] {
        let output = lab(&arguments);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(said) && text.trim_end().lines().count() == 1, "{text}");
        assert!(output.stdout.is_empty());
    }
}
