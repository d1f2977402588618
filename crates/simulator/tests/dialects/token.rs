use serde_json::json;

use crate::wire::{send, simulator};

/// Header and claims `{"alg":"RS256","typ":"JWT"}` and
/// `{"iss":"a@p.example","scope":"s","aud":"u","iat":1,"exp":3601}`, and a signature of three bytes.
const JWT: &str = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJhQHAuZXhhbXBsZSIsInNjb3BlIjoicyIsImF1ZCI6InUiLCJpYXQiOjEsImV4cCI6MzYwMX0.c2lt";
const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

#[tokio::test]
async fn an_assertion_is_exchanged_for_a_token() {
    let sim = simulator().await;
    let granted = send(&sim, "/token", &[], format!("{GRANT}&assertion={JWT}")).await;
    let token = granted.json();
    assert_eq!(granted.status, 200, "{token}");
    assert_eq!(token["token_type"], "Bearer");
    assert!(token["access_token"].is_string() && token["expires_in"].is_number());
    let other = send(&sim, "/token", &[], format!("grant_type=password&assertion={JWT}")).await;
    assert_eq!(
        (other.status, other.json()["error"].clone()),
        (400, json!("unsupported_grant_type"))
    );
    let broken = send(&sim, "/token", &[], format!("{GRANT}&assertion=a.b")).await;
    assert_eq!(broken.json()["error"], "invalid_grant");
    let entries = sim.journal().settled().await;
    assert!(entries.iter().all(|e| e.dialect == "oauth-token" && e.body == Some(json!(null))));
}

#[tokio::test]
async fn the_journal_tells_of_keys_without_their_values() {
    let sim = simulator().await;
    let headers =
        [("x-api-key", "secret"), ("authorization", "Bearer secret"), ("anthropic-beta", "a,b")];
    send(&sim, "/v1beta/models/echo:generateContent?key=secret", &headers, "{}").await;
    let entry = &sim.journal().settled().await[0];
    let told: Vec<(&str, &str)> =
        entry.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        told,
        [
            ("anthropic-beta", "a,b"),
            ("authorization", "Bearer"),
            ("query-key", "present"),
            ("x-api-key", "present")
        ]
    );
}
