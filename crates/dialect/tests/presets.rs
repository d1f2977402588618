//! Presets: what of a body is kept, and what a body is with a preset merged in (platform spec 8).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "presets/kept.rs"]
mod kept;

#[path = "presets/merged.rs"]
mod merged;

use bytes::Bytes;
use serde_json::Value;
use signalbox_dialect::document::Document;
use signalbox_dialect::preset::Preset;
use signalbox_dialect::texts::Body;

fn document(body: &Value) -> Document {
    Document::parse(Bytes::from(body.to_string())).unwrap()
}

fn preset(config: &Value, prompt: Option<&str>) -> Preset {
    Preset::new(document(config), prompt.map(str::to_owned))
}

/// The body with the preset, which it names besides this model.
fn with(preset: &Preset, body: Body, request: &Value, model: Option<&str>) -> Value {
    let merged = preset.merged(&document(request), body, model).unwrap();
    serde_json::from_slice(merged.bytes()).unwrap()
}
