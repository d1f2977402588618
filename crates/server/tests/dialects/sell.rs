//! A catalogue with a model for each cell.

use serde_json::{Value, json};
use signalbox_testkit::{Offer, Stand};

use crate::table::{Cell, Feature, Outbound};

/// Keys that sign requests to a cloud, and an access token of another; nobody verifies them here.
const AWS: &str = r#"{"access_key_id":"AKIDEXAMPLE","secret_access_key":"secret"}"#;
const ACCESS: &str = r#"{"access_token":"ya29.example","project_id":"p-1"}"#;

/// What the provider does in a cell, and what its spare does.
pub fn behaviours(cell: &Cell) -> (&'static str, Option<&'static str>) {
    match cell.feature {
        Feature::Text => ("tokens-5", None),
        Feature::Tools | Feature::ParallelTools => ("tools", None),
        Feature::Reasoning => ("reason+tools+signed", None),
        Feature::Image | Feature::Pdf => ("describe", None),
        Feature::StructuredOutput => ("json", None),
        Feature::ErrorBefore if cell.stream => ("tokens-9+error-inband-0", Some("tokens-5")),
        Feature::ErrorBefore => ("status-503", Some("tokens-5")),
        Feature::ErrorAfter => ("tokens-9+error-inband-3", None),
    }
}

/// The provider's name for a cell's model.
pub fn sold_as(cell: &Cell) -> String {
    format!("{}+{}", cell.name(), behaviours(cell).0)
}

/// Everything.
pub fn offer(cells: &[Cell]) -> Offer {
    let mut offer = Offer::new();
    for outbound in Outbound::ALL {
        for slug in [outbound.slug().to_owned(), spare(outbound)] {
            offer = carrier(offer, outbound, &slug);
        }
    }
    for cell in cells {
        let (first, second) = behaviours(cell);
        let name = cell.name();
        let mut stands =
            vec![stand(cell.outbound, cell.outbound.slug(), &format!("{name}+{first}"))];
        if let Some(second) = second {
            let alone = stands.clone();
            offer = offer.model_with(&format!("alone/{name}"), members(), alone);
            let second = format!("{name}+{second}");
            stands.push(stand(cell.outbound, &spare(cell.outbound), &second));
        }
        offer = offer.model_with(&format!("table/{name}"), members(), stands);
    }
    offer
}

/// The slug of the provider to fall over to.
pub fn spare(outbound: Outbound) -> String {
    format!("{}-spare", outbound.slug())
}

/// The rest of a model's row.
pub fn members() -> Value {
    json!({"input_modalities": ["text", "image", "file"], "reasoning": {"mandatory": false}})
}

/// An endpoint of a provider in some dialect.
pub fn stand(outbound: Outbound, slug: &str, sold_as: &str) -> Stand {
    let stand = Stand::new(slug, sold_as);
    match outbound {
        Outbound::Converse => stand.with("manner", json!({"reasoning": "budget"})),
        _ => stand,
    }
}

/// Adds the provider of a dialect, under any slug.
pub fn carrier(offer: Offer, outbound: Outbound, slug: &str) -> Offer {
    let (credential, mut row) = match outbound {
        Outbound::Invoke => (Some(AWS), invoke()),
        Outbound::RawPredict => (Some(ACCESS), raw_predict()),
        other => (None, json!({"transport": "none", "speaks": [{"dialect": other.name()}]})),
    };
    row["name"] = json!(outbound.speaker());
    let offer = offer.provider(slug, row);
    match credential {
        Some(credential) => offer.credential(slug, credential),
        None => offer,
    }
}

fn invoke() -> Value {
    json!({
        "region": "us-east-1",
        "speaks": [{
            "dialect": "anthropic-messages", "transport": "bedrock-invoke",
            "path": "/model/{model}/invoke",
            "stream_path": "/model/{model}/invoke-with-response-stream",
            "headers": {"anthropic-version": ""},
            "patches": [
                {"drop": "/model"}, {"drop": "/stream"},
                {"set": "/anthropic_version", "value": "bedrock-2023-05-31"},
            ],
        }],
    })
}

fn raw_predict() -> Value {
    let models = "/publishers/anthropic/models/{model}";
    json!({
        "base_url": "{simulator}/projects/{project}/locations/{region}",
        "region": "global",
        "speaks": [{
            "dialect": "anthropic-messages", "transport": "vertex",
            "path": format!("{models}:rawPredict"),
            "stream_path": format!("{models}:streamRawPredict"),
            "headers": {"anthropic-version": ""},
            "patches": [
                {"drop": "/model"}, {"set": "/anthropic_version", "value": "vertex-2023-10-16"},
            ],
        }],
    })
}
