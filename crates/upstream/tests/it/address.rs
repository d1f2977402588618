//! Where requests go and with which headers, as the provider's end sees it.

use signalbox_catalog::Dialect;
use signalbox_upstream::{AddressError, CallError, HeaderMap, Target};

use crate::seen::{self, Sent, provider, send, target};

/// Provider row (its base URL is the server's), dialect row, credential, and what is asked for.
type Case<'a> = (&'a str, &'a str, &'a str, Sent<'a>, &'a str);

const MODEL: &str = "a.b/c-v1:0@2";

#[tokio::test]
async fn every_row_leads_where_it_says() {
    let region = |region| Sent { region, ..Sent::default() };
    let streamed = Sent { stream: true, ..Sent::default() };
    let cases: &[Case<'_>] = &[
        ("", "", "k", Sent::default(), "/v1/chat/completions"),
        ("", "path = '/c?a=b'", "k", streamed, "/v1/c?a=b"),
        ("", "path = '/c'\nstream_path = '/s'", "k", streamed, "/v1/s"),
        ("", "path = '/m/{model}:go'", "k", Sent::default(), "/v1/m/a.b%2Fc-v1%3A0@2:go"),
        ("region = 'eu'", "path = '/{region}/c'", "k", Sent::default(), "/v1/eu/c"),
        ("region = 'eu'", "path = '/{region}/c'", "k", region(Some("us-1")), "/v1/us-1/c"),
        (
            "region = 'eu'",
            "path = '/{region}/c'",
            r#"{"api_key":"k","region":"asia"}"#,
            Sent::default(),
            "/v1/asia/c",
        ),
        (
            "",
            "path = '/{project}/c'",
            r#"{"access_token":"k","project_id":"p"}"#,
            Sent::default(),
            "/v1/p/c",
        ),
        ("project = 'q'", "path = '/{project}/c'", "k", Sent::default(), "/v1/q/c"),
        ("", "transport = 'query-key'", "k/+", Sent::default(), "/v1/chat/completions?key=k%2F%2B"),
        (
            "",
            "transport = 'query-key'\nparameter = 'token'\npath = '/c?alt=sse'",
            "k",
            Sent::default(),
            "/v1/c?alt=sse&token=k",
        ),
        (
            "api_version = '2024-10-21'",
            "versioned_path = '/deployments/{model}/c?api-version={api_version}'",
            "k",
            Sent { model: "gpt", ..streamed },
            "/v1/deployments/gpt/c?api-version=2024-10-21",
        ),
        (
            "",
            "versioned_path = '/deployments/{model}/c?api-version={api_version}'",
            "k",
            Sent::default(),
            "/v1/chat/completions",
        ),
    ];
    for (row, speaks, credential, sent, expected) in cases {
        let sent = Sent { model: if sent.model.is_empty() { MODEL } else { sent.model }, ..*sent };
        let seen = send(row, speaks, Some(credential), sent).await.unwrap();
        assert_eq!(
            (seen.path.as_str(), seen.body.as_str()),
            (*expected, "{\"a\":1}"),
            "{row} {speaks}"
        );
    }
}

#[tokio::test]
async fn a_region_with_a_host_of_its_own_goes_there() {
    // The base URL's host is nowhere: only a host of the map is reached.
    let (listener, address) = seen::listener().await;
    let row = format!("region = 'eu'\nhosts = {{ eu = '{address}' }}");
    let base = "http://{region}.nowhere.invalid/v1";
    let target = target(&provider(base, &row, "path = '/{region}/c'"), Some("k")).unwrap();
    let seen = seen::exchange(&listener, &target, Sent { model: MODEL, ..Sent::default() }).await;
    assert_eq!(seen.unwrap().path, "/v1/eu/c");
}

#[tokio::test]
async fn authentication_is_where_the_transport_puts_it() {
    for (speaks, header, value) in [
        ("", "authorization", "Bearer k"),
        ("transport = 'header-key'\nheader = 'X-Key'", "x-key", "k"),
        ("transport = 'azure'", "api-key", "k"),
        ("transport = 'sigv4'", "authorization", "Bearer k"),
        ("transport = 'bedrock-invoke'", "authorization", "Bearer k"),
        ("transport = 'vertex'", "authorization", "Bearer k"),
    ] {
        let seen = send("", speaks, Some("k"), Sent::default()).await.unwrap();
        assert_eq!(seen.header(header), Some(value), "{speaks}");
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
    let seen = send("", "transport = 'query-key'", Some("k"), Sent::default()).await.unwrap();
    assert_eq!(seen.header("authorization"), None);
}

#[tokio::test]
async fn keys_that_sign_sign_for_the_region_of_the_call() {
    let keys = r#"{"access_key_id":"ID","secret_access_key":"S","session_token":"T"}"#;
    let further: HeaderMap = [("authorization", "Bearer stolen"), ("x-amz-date", "yesterday")]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    for (transport, region, scope) in [
        ("sigv4", None, "19700101/us-east-1/bedrock/aws4_request"),
        ("bedrock-invoke", Some("eu-west-1"), "19700101/eu-west-1/bedrock/aws4_request"),
    ] {
        let speaks = format!("transport = '{transport}'\npath = '/model/{{model}}/go'");
        let sent = Sent { model: "a:0", region, headers: Some(&further), ..Sent::default() };
        let seen = send("region = 'us-east-1'", &speaks, Some(keys), sent).await.unwrap();
        let [signature] = seen.all("authorization")[..] else { panic!() };
        assert!(signature.contains(&format!("Credential=ID/{scope}")), "{signature}");
        assert_eq!(seen.all("x-amz-date"), ["19700101T000001Z"]);
        assert_eq!(
            (seen.path.as_str(), seen.header("x-amz-security-token")),
            ("/v1/model/a%3A0/go", Some("T"))
        );
    }
    let error = send("", "transport = 'sigv4'", Some(keys), Sent::default()).await.unwrap_err();
    assert_eq!(error, CallError::Address(AddressError::Region));
    let bearer = target(&provider("http://x", "", ""), Some(keys)).unwrap_err();
    assert!(bearer.to_string().contains("of another kind"), "{bearer}");
}

#[tokio::test]
async fn further_headers_replace_all_but_the_credential() {
    let mut further = HeaderMap::new();
    further.insert("x-feature", "call".parse().unwrap());
    further.append("x-feature", "twice".parse().unwrap());
    further.insert("authorization", "Bearer stolen".parse().unwrap());
    let sent = Sent { headers: Some(&further), ..Sent::default() };
    let row = "headers = { X-Feature = 'row', X-Place = 'in {region}' }";
    let seen = send("region = 'eu'", row, Some("k"), sent).await.unwrap();
    assert_eq!(seen.all("x-feature"), ["call", "twice"]);
    assert_eq!(seen.all("authorization"), ["Bearer k"]);
    assert_eq!(seen.header("x-place"), Some("in eu"));
}

#[tokio::test]
async fn a_call_without_a_proper_region_is_not_sent() {
    for region in [None, Some(""), Some("eu/../x"), Some("eu.evil@x")] {
        let sent = Sent { region, ..Sent::default() };
        let error = send("", "path = '/{region}/c'", Some("k"), sent).await.unwrap_err();
        assert_eq!(error, CallError::Address(AddressError::Region), "{region:?}");
    }
}

#[test]
fn a_row_that_leads_nowhere_is_named() {
    for (base, speaks, key, problem) in [
        ("http://x/{project}", "", Some("k"), "the address needs a project"),
        ("http://x", "path = '/{api_version}'", Some("k"), "the address needs an api_version"),
        ("http://x y", "", Some("k"), "the base URL is not an address"),
        ("http://[x", "", Some("k"), "the base URL is not an address"),
        ("http://x", "", None, "no credential"),
    ] {
        let mut provider = provider("http://x", "", speaks);
        provider.base_url = Some(base.to_owned());
        let error = target(&provider, key).unwrap_err().to_string();
        assert!(error.contains(problem) && error.contains("acme"), "{base}: {error}");
    }
    let provider = provider("http://x", "", "");
    assert!(Target::new(&provider, Dialect::Gemini, None).is_err());
}

#[test]
fn debug_output_shows_no_credential() {
    for transport in ["bearer", "azure", "query-key", "header-key' \n header = 'x-key"] {
        let speaks = format!("transport = '{transport}'");
        for path in ["/c", "/c/{model}"] {
            let row = provider("http://x", "", &format!("{speaks}\npath = '{path}'"));
            let target = target(&row, Some("sekret")).unwrap();
            assert!(!format!("{target:?}").contains("sekret"), "{target:?}");
        }
    }
}
