//! Where the rows of the catalogue lead.

use signalbox_catalog::Dialect::{AnthropicMessages, BedrockConverse, Gemini, OpenaiChat};
use signalbox_catalog::{ProviderRow, Snapshot};

use super::*;

/// Further lines of the built-in row, its dialect, model and region, and where that leads,
/// whole and streamed.
type Case<'a> = (&'a str, Dialect, &'a str, Option<&'a str>, [&'a str; 2]);

fn check(slug: &str, credential: &str, cases: &[Case<'_>]) {
    let built_in = Snapshot::embedded().unwrap();
    let built_in = built_in.providers.iter().find(|one| one.slug == slug).unwrap();
    let credential = Credential::parse(&Secret::new(credential.to_owned())).unwrap();
    let headers = HeaderMap::new();
    for (lines, dialect, model, region, expected) in cases {
        let row = format!("slug = '{slug}'\n{lines}");
        let row: ProviderRow = toml::from_str(&row).unwrap();
        let provider = row.apply(Some(built_in)).unwrap();
        let target = Target::new(&provider, *dialect, Some(&credential)).unwrap();
        let found = [false, true].map(|stream| {
            let (body, now) = (Vec::new(), Timestamp::from_seconds(1));
            let call = Call { model, region: *region, stream, headers: &headers, body, now };
            target.prepare(&call).unwrap().uri.to_string()
        });
        assert_eq!(found, *expected, "{lines} {dialect:?} {region:?}");
    }
}

#[test]
fn bedrock_is_called_in_the_region_of_the_endpoint() {
    let chat = "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions";
    let model = "https://bedrock-runtime.eu-west-1.amazonaws.com/model/eu.a-v1%3A0/";
    let of = |path: [&str; 2]| path.map(|path| format!("{model}{path}"));
    let converse = of(["converse", "converse-stream"]);
    let invoke = of(["invoke", "invoke-with-response-stream"]);
    let eu = Some("eu-west-1");
    let cases: &[Case<'_>] = &[
        ("", OpenaiChat, "m", None, [chat, chat]),
        ("", BedrockConverse, "eu.a-v1:0", eu, [&converse[0], &converse[1]]),
        ("", AnthropicMessages, "eu.a-v1:0", eu, [&invoke[0], &invoke[1]]),
    ];
    check("amazon-bedrock", r#"{"access_key_id":"ID","secret_access_key":"S"}"#, cases);
    check("amazon-bedrock", "api-key", cases);
}

#[test]
fn vertex_has_hosts_for_regions_the_globe_and_continents() {
    let gemini = |host: &str, place: &str| {
        let folder = format!("https://{host}/v1/projects/p/locations/{place}");
        ["generateContent", "streamGenerateContent?alt=sse"]
            .map(|verb| format!("{folder}/publishers/google/models/g-1:{verb}"))
    };
    for (region, host, place) in [
        (None, "aiplatform.googleapis.com", "global"),
        (Some("global"), "aiplatform.googleapis.com", "global"),
        (Some("eu"), "aiplatform.eu.rep.googleapis.com", "eu"),
        (Some("us"), "aiplatform.us.rep.googleapis.com", "us"),
        (Some("us-east5"), "us-east5-aiplatform.googleapis.com", "us-east5"),
    ] {
        let [whole, stream] = &gemini(host, place);
        let case = ("", Gemini, "g-1", region, [whole.as_str(), stream.as_str()]);
        check("google-vertex", r#"{"access_token":"t","project_id":"p"}"#, &[case]);
    }
    let claude = "https://e4-aiplatform.googleapis.com/v1/projects/q/locations/e4/publishers/\
                  anthropic/models/c@1:";
    let [whole, stream] = ["rawPredict", "streamRawPredict"].map(|verb| format!("{claude}{verb}"));
    let lines = "project = 'q'\nregion = 'e4'";
    check("google-vertex", "t", &[(lines, AnthropicMessages, "c@1", None, [&whole, &stream])]);
}

#[test]
fn azure_is_addressed_by_resource_or_by_deployment() {
    let base = "base_url = 'https://r.openai.azure.com/'";
    let versioned = format!("{base}\napi_version = '2024-10-21'");
    let v1 = "https://r.openai.azure.com/openai/v1/chat/completions";
    let own = "https://r.openai.azure.com/openai/deployments/d/chat/completions\
               ?api-version=2024-10-21";
    let claude = "https://r.openai.azure.com/anthropic/v1/messages";
    check(
        "azure",
        "k",
        &[
            (base, OpenaiChat, "d", Some("global"), [v1, v1]),
            (&versioned, OpenaiChat, "d", None, [own, own]),
            (&versioned, AnthropicMessages, "d", None, [claude, claude]),
        ],
    );
}
