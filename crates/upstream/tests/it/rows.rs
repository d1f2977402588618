//! Where the rows of the catalogue lead.

use signalbox_catalog::Dialect::{AnthropicMessages, BedrockConverse, Gemini, OpenaiChat};
use signalbox_catalog::{Dialect, Provider, ProviderRow, Snapshot};
use signalbox_core::{Secret, Timestamp};
use signalbox_upstream::{Call, Credential, CredentialError, HeaderMap, Target};

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
            target.shown(&call).unwrap().0
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

fn built_in(slug: &str) -> Provider {
    let built_in = Snapshot::embedded().unwrap();
    built_in.providers.iter().find(|one| one.slug == slug).unwrap().clone()
}

/// Where a caller's own credential leads for a model in a region, with which id of the model.
fn own(
    slug: &str,
    written: &str,
    dialect: Dialect,
    model: &str,
    region: Option<&str>,
) -> (String, String) {
    let provider = built_in(slug);
    let credential = Credential::parse(&Secret::new(written.to_owned())).unwrap();
    let part = credential.part(dialect, &|slug| slug == model).unwrap();
    let target = Target::own(&provider, dialect, &credential, part).unwrap();
    let (headers, body) = (HeaderMap::new(), Vec::new());
    let id = target.model("catalogued").to_owned();
    let now = Timestamp::from_seconds(1);
    let call = Call { model: &id, region, stream: false, headers: &headers, body, now };
    (target.shown(&call).unwrap().0, id.clone())
}

#[test]
fn a_list_of_resources_and_deployments_leads_to_each() {
    let list = r#"[
        {"api_key":"k1","resource_name":"mine","resource_type":"ai_foundry"},
        {"api_key":"k2","model_slug":"openai/gpt-5","model_id":"dep-5",
         "endpoint_url":"https://d.openai.azure.com/openai/deployments/dep-5/chat/completions?api-version=1"}]"#;
    let dep = "https://d.openai.azure.com/openai/deployments/dep-5/chat/completions?api-version=1";
    let at = |dialect, model| own("azure", list, dialect, model, Some("global"));
    assert_eq!(at(OpenaiChat, "openai/gpt-5"), (dep.to_owned(), "dep-5".to_owned()));
    let host = "https://mine.services.ai.azure.com";
    let usual = |path| (format!("{host}{path}"), "catalogued".to_owned());
    assert_eq!(at(OpenaiChat, "openai/other"), usual("/openai/v1/chat/completions"));
    assert_eq!(at(AnthropicMessages, "openai/gpt-5"), usual("/anthropic/v1/messages"));
    let bare = r#"[{"api_key":"k","resource_name":"r"}]"#;
    let (found, _) = own("azure", bare, OpenaiChat, "m", None);
    assert_eq!(found, "https://r.openai.azure.com/openai/v1/chat/completions");
}

#[test]
fn an_own_credential_goes_to_its_region_and_project() {
    let signing = r#"{"accessKeyId":"ID","secretAccessKey":"S","region":"eu-west-3"}"#;
    let (found, _) = own("amazon-bedrock", signing, OpenaiChat, "m", Some("us-east-1"));
    let host = |region| format!("https://bedrock-runtime.{region}.amazonaws.com");
    assert_eq!(found, format!("{}/openai/v1/chat/completions", host("eu-west-3")));
    let (found, _) = own("amazon-bedrock", "key", OpenaiChat, "m", Some("us-west-2"));
    assert_eq!(found, format!("{}/openai/v1/chat/completions", host("us-west-2")));
    let token = r#"{"access_token":"t","project_id":"p","region":"us-east5"}"#;
    let (found, _) = own("google-vertex", token, OpenaiChat, "m", Some("global"));
    let folder = "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5";
    assert_eq!(found, format!("{folder}/endpoints/openapi/chat/completions"));
}

#[test]
fn credentials_are_checked_before_they_are_kept() {
    use CredentialError as E;
    let check =
        |slug, text: &str| Credential::check(&built_in(slug), &Secret::new(text.to_owned()));
    let entry = |members: &str| format!(r#"[{{"api_key":"k",{members}}}]"#);
    for (slug, good) in [
        ("openai", "sk-1"),
        ("azure", &entry(r#""resource_name":"r""#)),
        ("amazon-bedrock", "ABSK"),
        ("amazon-bedrock", r#"{"accessKeyId":"I","secretAccessKey":"S","region":"us-east-1"}"#),
        ("google-vertex", r#"{"access_token":"t","project_id":"p","bucket":"gs://my-bucket"}"#),
    ] {
        assert_eq!(check(slug, good), Ok(()), "{slug} {good}");
    }
    let url =
        |url: &str| entry(&format!(r#""model_slug":"a/b","model_id":"d","endpoint_url":"{url}""#));
    for (slug, bad, error) in [
        ("openai", "", E::Characters),
        ("openai", "sk 1", E::Characters),
        ("openai", r#"{"accessKeyId":"I","secretAccessKey":"S"}"#, E::Kind),
        ("openai", &entry(r#""resource_name":"r""#), E::ResourceMissing),
        ("azure", "k", E::Address(signalbox_upstream::AddressError::BaseUrl)),
        ("azure", "[]", E::Entries),
        ("azure", "[{}]", E::Entries),
        ("azure", &entry(r#""resource_name":"r.evil.example/""#), E::ResourceName),
        ("azure", &entry(r#""resource_name":"r","resource_type":"other""#), E::ResourceMissing),
        (
            "google-vertex",
            r#"{"access_token":"t"}"#,
            E::Address(signalbox_upstream::AddressError::Project),
        ),
        (
            "google-vertex",
            r#"{"access_token":"t","project_id":"p","bucket":"gs://b/x"}"#,
            E::Bucket,
        ),
        (
            "google-vertex",
            r#"{"access_token":"t","project_id":"p","region":"a.b"}"#,
            E::Place("region"),
        ),
    ] {
        assert_eq!(check(slug, bad), Err(error), "{slug} {bad}");
    }
    for bad in ["ftp://a.example/", "https://u@a.example/", "https://0x7f.1/"] {
        assert!(matches!(check("azure", &url(bad)), Err(E::Url(_))), "{bad}");
    }
    let long = r#"[{"api_key":"sekret-1","resource_name":"r.x"}]"#;
    assert!(!check("azure", long).unwrap_err().to_string().contains("sekret"));
}

#[test]
fn a_label_shows_the_ends_of_a_plain_key_and_nothing_of_any_other() {
    for (written, label) in [
        ("sk-ant-api03-abcdefghijkl-wxyZ", "sk-...wxyZ"),
        ("AIzaSyA1234567890bcdE", "...bcdE"),
        ("short-key", "..."),
        (r#"{"accessKeyId":"ID","secretAccessKey":"secret"}"#, "{...}"),
        ("[{}]", "{...}"),
    ] {
        assert_eq!(Credential::label(&Secret::new(written.to_owned())), label, "{written}");
    }
}
