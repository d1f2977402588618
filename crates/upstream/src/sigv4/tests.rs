//! Against the published vectors of `awslabs/aws-c-auth`, `tests/aws-signing-test-suite/v4`.

use signalbox_core::Secret;

use super::*;

/// 2015-08-30T12:36:00Z.
const NOW: Timestamp = Timestamp::from_seconds(1_440_938_160);
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST: (&str, &str) = ("host", "example.amazonaws.com");
const STAMP: (&str, &str) = ("x-amz-date", "20150830T123600Z");

fn keys(token: Option<&str>) -> SigningKeys {
    let secret = |text: &str| Secret::new(text.to_owned());
    SigningKeys {
        access_key_id: secret("AKIDEXAMPLE"),
        secret_access_key: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: token.map(secret),
    }
}

fn scope(service: &str) -> Scope<'_> {
    Scope { region: "us-east-1", service, now: NOW }
}

/// Name, method, path, query, further headers in order, hash of the body, signature.
type Vector = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const VECTORS: &[Vector] = &[
    (
        "get-vanilla",
        "GET",
        "/",
        "",
        &[HOST, STAMP],
        EMPTY,
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "post-vanilla",
        "POST",
        "/",
        "",
        &[HOST, STAMP],
        EMPTY,
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        &[HOST, STAMP],
        EMPTY,
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-utf8",
        "GET",
        "/\u{1234}",
        "",
        &[HOST, STAMP],
        EMPTY,
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    ),
    (
        "get-space-unnormalized",
        "GET",
        "/example space/",
        "",
        &[HOST, STAMP],
        EMPTY,
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    (
        "get-header-value-trim",
        "GET",
        "/",
        "",
        &[HOST, ("my-header1", " value1"), ("my-header2", " \"a   b   c\""), STAMP],
        EMPTY,
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "get-vanilla-with-session-token",
        "GET",
        "/",
        "",
        &[
            HOST,
            STAMP,
            (
                "x-amz-security-token",
                "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
            ),
        ],
        EMPTY,
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    (
        "post-x-www-form-urlencoded",
        "POST",
        "/",
        "",
        &[
            ("content-length", "13"),
            ("content-type", "application/x-www-form-urlencoded"),
            HOST,
            (
                "x-amz-content-sha256",
                "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
            ),
            STAMP,
        ],
        "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
];

#[test]
fn the_published_vectors_are_signed_as_published() {
    for (name, method, path, query, headers, payload, signature) in VECTORS {
        let request = Request { method, path, query, headers, payload };
        let written = authorization(&keys(None), scope("service"), &stamp(NOW), &request);
        let (_, found) = written.split_once("Signature=").unwrap();
        assert_eq!(found, *signature, "{name}:\n{}", request.canonical());
    }
    assert_eq!(sha256([b"Param1=value1".as_slice()]), VECTORS[7].5);
}

#[test]
fn a_request_carries_what_was_signed() {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let uri = Uri::from_static("http://127.0.0.1:9001/model/a%3A0/converse");
    sign(&keys(Some("T")), scope("bedrock"), &uri, &mut headers, &["{".into(), "}".into()])
        .unwrap();
    let text = headers[header::AUTHORIZATION].to_str().unwrap();
    let begin = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/bedrock/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=";
    assert!(text.starts_with(begin), "{text}");
    assert_eq!(
        (&headers[DATE], &headers[TOKEN]),
        (&STAMP.1.parse().unwrap(), &"T".parse().unwrap())
    );
    assert!(headers[header::AUTHORIZATION].is_sensitive() && headers[TOKEN].is_sensitive());
    let first = text.to_owned();
    sign(&keys(Some("T")), scope("bedrock"), &uri, &mut headers, &["{ }".into()]).unwrap();
    assert_ne!(headers[header::AUTHORIZATION].to_str().unwrap(), first, "another body");
}

#[test]
fn the_path_is_encoded_once_more_than_it_is_sent() {
    let mut path = String::new();
    encode_path("/model/a%3A0@1/converse", &mut path);
    assert_eq!(path, "/model/a%253A0%401/converse");
    assert_eq!(canonical_query("b=2&a&a=1"), "a=&a=1&b=2");
}

#[test]
fn the_host_is_signed_as_the_client_sends_it() {
    for (uri, expected) in [
        ("https://a.example/x", "a.example"),
        ("https://a.example:443/x", "a.example"),
        ("http://a.example:80/x", "a.example"),
        ("http://a.example:443/x", "a.example:443"),
        ("http://[::1]:9001/x", "[::1]:9001"),
    ] {
        assert_eq!(host(&uri.parse().unwrap()).unwrap(), expected);
    }
}
