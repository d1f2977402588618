//! What every row of data comes to: for each provider and each dialect that it speaks, the request
//! line, the headers and the bodies of a few requests, one file per provider. The files make the
//! effect of a change in the rows visible in review. They prove nothing about a provider: that it
//! understands what is written there is known only as far as its row says.
//!
//! `BLESS=1` writes them anew.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::{env, fs};

use serde_json::{Value, json};
use signalbox_catalog::{Dialect, Endpoint, Modality, Model, ModelStatus, Task};
use signalbox_core::Parameter;
use signalbox_gateway::preview::Preview;
use signalbox_gateway::{Surface, World};

use crate::world::{MADE_UP, ask, world};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rows")
}

/// How much of what the requests ask an endpoint can do.
fn abilities(model: &Model, endpoint: &Endpoint) -> usize {
    let asked = [Parameter::Tools, Parameter::StructuredOutputs];
    let known = asked.iter().filter(|one| endpoint.supported_parameters.contains(**one)).count();
    let reasons = endpoint.supported_parameters.contains(Parameter::Reasoning);
    let can_stop = model.reasoning.as_ref().is_some_and(|facts| !facts.mandatory);
    let reads = usize::from(model.reads(Modality::Image));
    known + reads + 3 * usize::from(reasons) + usize::from(can_stop)
}

/// For each provider and dialect the endpoint that shows it: the first of those that can do most, a
/// made-up one where there is none.
fn shown(world: &World) -> BTreeMap<(String, &'static str), (Arc<Endpoint>, Dialect)> {
    let catalog = &world.catalog;
    let mut best: BTreeMap<(String, &'static str), (usize, Arc<Endpoint>, Dialect)> =
        BTreeMap::new();
    for model in catalog.models() {
        let fits = model.status == ModelStatus::Live && model.variant != "batch";
        let writes = [Modality::Text, Modality::Embeddings, Modality::Rerank];
        if !fits || !writes.into_iter().any(|one| model.writes(one)) {
            continue;
        }
        for endpoint in catalog.endpoints(&model.id) {
            let Some(speaks) = catalog.speaks(endpoint) else { continue };
            let real = !endpoint.id.starts_with(MADE_UP);
            let score = usize::from(real) * (1 + abilities(model, endpoint));
            let key = (endpoint.provider.clone(), speaks.dialect.name());
            if best.get(&key).is_none_or(|(found, ..)| *found < score) {
                best.insert(key, (score, endpoint.clone(), speaks.dialect));
            }
        }
    }
    best.into_iter().map(|(key, (_, endpoint, dialect))| (key, (endpoint, dialect))).collect()
}

/// The requests, by name.
fn requests(task: Task) -> Vec<(&'static str, Surface, Value)> {
    let asks = |text: &str| json!([{"role": "user", "content": text}]);
    match task {
        Task::Chat => {
            let tool = json!({"type": "function", "function": {"name": "weather", "strict": true,
                "description": "The weather of a town", "parameters": {"type": "object",
                    "properties": {"town": {"type": "string"}}, "required": ["town"]}}});
            let call = json!({"id": "call_1", "type": "function",
                "function": {"name": "weather", "arguments": "{\"town\":\"Oslo\"}"}});
            let pixel = "data:image/png;base64,iVBORw0KGgo=";
            let schema = json!({"type": "object", "properties": {"town": {"type": "string"}},
                "required": ["town"], "additionalProperties": false});
            let bodies = [
                (
                    "basic, streamed",
                    json!({"stream": true, "max_tokens": 1000, "temperature": 0.5,
                    "seed": 7, "user": "u-1", "messages": [{"role": "developer", "content":
                    "Be brief."}, {"role": "user", "content": "Hello"}]}),
                ),
                (
                    "tools",
                    json!({"tools": [tool], "tool_choice": "auto",
                    "parallel_tool_calls": false, "messages": [{"role": "user", "content":
                    "Weather in Oslo?"}, {"role": "assistant", "content": null, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "call_1", "content": "Rain"}]}),
                ),
                (
                    "reasoning",
                    json!({"max_tokens": 8000, "reasoning": {"effort": "high"},
                    "messages": asks("Why?")}),
                ),
                ("no reasoning", json!({"reasoning": {"enabled": false}, "messages": asks("Hi")})),
                (
                    "image",
                    json!({"messages": [{"role": "user", "content": [{"type": "text",
                    "text": "What is it?"}, {"type": "image_url", "image_url": {"url": pixel,
                    "detail": "low"}}]}]}),
                ),
                (
                    "structured output",
                    json!({"messages": asks("A town"), "response_format":
                    {"type": "json_schema", "json_schema": {"name": "town", "strict": true,
                    "schema": schema}}}),
                ),
            ];
            bodies.into_iter().map(|(name, body)| (name, Surface::Chat, body)).collect()
        }
        Task::Embeddings => {
            let body =
                json!({"input": ["one", "two"], "dimensions": 256, "input_type": "search_query"});
            vec![("embeddings", Surface::Embeddings, body)]
        }
        Task::Rerank => {
            let body = json!({"query": "town", "documents": ["Oslo", "bread"], "top_n": 1});
            vec![("rerank", Surface::Rerank, body)]
        }
    }
}

fn write(out: &mut String, world: &World, endpoint: &Endpoint, dialect: Dialect) {
    let name = if endpoint.id.starts_with(MADE_UP) { MADE_UP } else { &endpoint.model };
    writeln!(out, "\n== {}: {name} as {}", dialect.name(), endpoint.provider_model_id).unwrap();
    let mut said: Option<(String, Vec<(String, String)>)> = None;
    for (name, surface, body) in requests(dialect.task()) {
        let Preview { url, headers, body, losses } = match ask(world, endpoint, surface, body) {
            Ok(found) => found,
            Err(error) => {
                writeln!(out, "-- {name}\nrefused: {}", error.message).unwrap();
                continue;
            }
        };
        writeln!(out, "-- {name}").unwrap();
        if said.as_ref().is_none_or(|(before, _)| *before != url) {
            writeln!(out, "POST {url}").unwrap();
        }
        for (key, value) in &headers {
            let same = said.as_ref().is_some_and(|(_, before)| {
                before.iter().any(|(name, said)| name == key && said == value)
            });
            if !same {
                writeln!(out, "{key}: {value}").unwrap();
            }
        }
        said = Some((url, headers));
        writeln!(out, "{}", String::from_utf8(body.to_vec()).unwrap()).unwrap();
        for loss in losses {
            writeln!(out, "lost: {loss}").unwrap();
        }
    }
}

#[test]
fn every_provider_is_sent_what_its_golden_file_says() {
    let world = world();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for ((slug, _), (endpoint, dialect)) in shown(&world) {
        write(files.entry(slug).or_default(), &world, &endpoint, dialect);
    }
    let mut different = Vec::new();
    for provider in world.catalog.providers() {
        let path = folder().join(format!("{}.txt", provider.slug));
        let found = files.get(&provider.slug).map_or("\n", String::as_str);
        let text = format!("{}: what is sent; nobody asked the provider.\n{found}", provider.slug);
        if env::var_os("BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != text {
            different.push(provider.slug.clone());
        }
    }
    assert!(different.is_empty(), "other than recorded, see BLESS=1: {different:?}");
    let known: HashSet<String> =
        world.catalog.providers().map(|one| format!("{}.txt", one.slug)).collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name), "{name} is of no provider");
    }
}
