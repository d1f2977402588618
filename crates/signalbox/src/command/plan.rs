//! `signalbox plan`: the dry run, without a server.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use signalbox_gateway::{Inbound, RequestHead, Surface, dry_run};
use signalbox_policy::health::Unknown;
use signalbox_runtime::{Clock, entropy};

use super::Place;
use crate::exit::{Stop, print};
use crate::wiring;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// The model, such as acme/tiny:nitro; stands over the body's
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The body of a request; - is stdin; left out, a short chat
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The route that the body is for, such as messages; left out, its members tell
    #[arg(long, value_name = "ROUTE")]
    surface: Option<String>,
    /// Repeats the draw of an earlier plan
    #[arg(long, value_name = "NUMBER")]
    dice: Option<u64>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode, Stop> {
    let config = arguments.place.load(None)?;
    let body = body(arguments.body, arguments.model)?.into();
    let world = wiring::world(&config, false).await?.world;
    let surface = match &arguments.surface {
        Some(name) => Surface::from_name(name)
            .ok_or_else(|| Stop::usage(format!("--surface: {name} is no route")))?,
        None => Surface::guess(&body, &world.catalog)
            .map_err(|error| Stop::usage(format!("--body: {}", error.message)))?,
    };
    let inbound = Inbound { surface, head: RequestHead::default(), body, id: None };
    let dice = arguments.dice.unwrap_or_else(entropy::dice);
    let plan = dry_run(&world, &Unknown, inbound, Clock::system().now(), dice)
        .map_err(|error| Stop::failed(error.message))?;
    if arguments.json {
        print(&plan.to_string())?;
    } else {
        print(table(&plan).trim_end())?;
    }
    Ok(if at(&plan, "error").is_null() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn body(file: Option<PathBuf>, model: Option<String>) -> Result<Vec<u8>, Stop> {
    let text = match &file {
        None => String::from(r#"{"messages":[{"role":"user","content":"Hello"}]}"#),
        Some(path) if path.as_os_str() == "-" => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Stop::usage(format!("stdin: {error}")))?;
            text
        }
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| Stop::usage(format!("{}: {error}", path.display())))?,
    };
    let Some(model) = model else { return Ok(text.into_bytes()) };
    let mut value: Value =
        serde_json::from_str(&text).map_err(|error| Stop::usage(format!("--body: {error}")))?;
    let members = value.as_object_mut().ok_or_else(|| Stop::usage("--body: no JSON object"))?;
    members.insert("model".into(), model.into());
    Ok(value.to_string().into_bytes())
}

/// The plan for a person: one line for each endpoint.
fn table(plan: &Value) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::from("-"),
        other => other.to_string(),
    };
    let mut out = String::new();
    let mut line = |cells: &[String]| {
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    };
    let rows = |key: &str| at(plan, key).as_array().cloned().unwrap_or_default();
    for one in rows("candidates") {
        line(&[
            format!("{:>3}", text(at(&one, "rank"))),
            format!("{:<40}", text(at(&one, "model"))),
            format!("{:<28}", text(at(&one, "tag"))),
            format!("${:<12}", text(at(&one, "expected_cost"))),
            format!("{:>6} ms", whole(at(&one, "expected_latency_ms"))),
            format!("{:>5} t/s", whole(at(&one, "expected_throughput"))),
            text(at(&one, "why")),
        ]);
    }
    for one in rows("excluded") {
        line(&[
            String::from("  -"),
            format!("{:<40}", text(at(&one, "model"))),
            format!("{:<28}", text(at(&one, "tag"))),
            text(at(&one, "reason")),
        ]);
    }
    for note in rows("notes") {
        line(&[String::from("note:"), text(&note)]);
    }
    if !at(plan, "error").is_null() {
        line(&[String::from("error:"), text(at(at(plan, "error"), "message"))]);
    }
    line(&[String::from("dice:"), text(at(plan, "dice"))]);
    out
}

/// A member, or null.
fn at<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn whole(value: &Value) -> String {
    at(value, "p50").as_f64().map_or_else(|| String::from("-"), |number| format!("{number:.0}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_reads_as_a_table() {
        let plan = json!({
            "dice": "7",
            "candidates": [{"rank": 1, "model": "a/b", "tag": "x", "expected_cost": 0.5,
                "expected_latency_ms": {"p50": 812.4}, "expected_throughput": null, "why": "drawn"}],
            "excluded": [{"model": "a/b", "tag": "y", "reason": "too dear"}],
            "notes": ["provider.order: z serves none"],
            "error": null,
        });
        let table = table(&plan);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].contains("$0.5") && lines[0].contains("812 ms"), "{table}");
        assert!(lines[0].ends_with("drawn") && lines[1].ends_with("too dear"), "{table}");
        assert_eq!(&lines[2..], ["note:  provider.order: z serves none", "dice:  7"]);
    }
}
