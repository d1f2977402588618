//! A conversation with thoughts and calls goes on with another carrier of the same model, over the
//! built-in rows of the clouds.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_simulator::Entry;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::cell::{ANSWERED, THOUGHT, Talk, called, came_back, whole};
use crate::say::{Ask, Past};
use crate::sell::{carrier, members};
use crate::table::{Inbound, Outbound};

/// Clients that can send back what was thought.
const CLIENTS: [Inbound; 3] = [Inbound::Chat, Inbound::Responses, Inbound::Messages];

/// A way to one model: the tag of its endpoint, its provider, and the dialect.
struct Carrier {
    tag: &'static str,
    provider: &'static str,
    dialect: &'static str,
    /// What its paths have and its requests show of their credential.
    path: &'static str,
    credential: (&'static str, &'static str),
}

const CARRIERS: [Carrier; 4] = [
    Carrier {
        tag: "anthropic/direct",
        provider: "anthropic",
        dialect: "anthropic-messages",
        path: "/messages",
        credential: ("x-api-key", "present"),
    },
    Carrier {
        tag: "amazon-bedrock/invoke",
        provider: "amazon-bedrock",
        dialect: "anthropic-messages",
        path: "/invoke",
        credential: ("authorization", "AWS4-HMAC-SHA256"),
    },
    Carrier {
        tag: "google-vertex/raw",
        provider: "google-vertex",
        dialect: "anthropic-messages",
        path: "awPredict",
        credential: ("authorization", "Bearer"),
    },
    Carrier {
        tag: "amazon-bedrock/converse",
        provider: "amazon-bedrock",
        dialect: "bedrock-converse",
        path: "/converse",
        credential: ("authorization", "AWS4-HMAC-SHA256"),
    },
];

impl Carrier {
    fn stand(&self, tag: &str, sold_as: &str) -> Stand {
        let mut manner = json!({});
        if self.dialect == "bedrock-converse" {
            manner["reasoning"] = json!("budget");
        }
        let stand = Stand::new(self.provider, sold_as).with("tag", json!(tag));
        stand.with("dialect", json!(self.dialect)).with("manner", manner)
    }

    /// The same endpoint on a bad day.
    fn down(&self) -> String {
        format!("{}-down", self.tag)
    }
}

/// Keys of the cloud that wants tokens for them.
fn account() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let text = STANDARD.encode(der.as_ref());
    json!({
        "type": "service_account", "project_id": "p-1", "private_key_id": "kid-1",
        "private_key": format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"),
        "client_email": "me@p-1.example", "client_id": "1", "token_uri": "{simulator}/token",
    })
    .to_string()
}

/// Models that every carrier has, one for each conversation.
fn offer(models: &[String]) -> Offer {
    let keys = r#"{"access_key_id":"AKIDEXAMPLE","secret_access_key":"secret"}"#;
    let place = "{simulator}/projects/{project}/locations/{region}";
    let mut offer = Offer::new()
        .embedded()
        .provider("anthropic", json!({}))
        .credential("anthropic", "sk-example")
        .provider("amazon-bedrock", json!({}))
        .credential("amazon-bedrock", keys)
        .provider("google-vertex", json!({"base_url": place}))
        .credential("google-vertex", &account());
    for model in models {
        let mut stands = Vec::new();
        for carrier in &CARRIERS {
            stands.push(carrier.stand(carrier.tag, &format!("{model}+reason+redacted+tools")));
            stands.push(carrier.stand(&carrier.down(), &format!("{model}+status-503")));
        }
        offer = offer.model_with(&format!("acme/{model}"), members(), stands);
    }
    offer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signed_thoughts_survive_a_failover_from_any_carrier_to_any_other() {
    let mut plays = Vec::new();
    for inbound in CLIENTS {
        for (first, second) in (0..16).map(|n| (n / 4, n % 4)).filter(|(a, b)| a != b) {
            for stream in [false, true] {
                let model = format!("c-{}-{first}-{second}-{stream}", inbound.name());
                plays.push((inbound, first, second, stream, model));
            }
        }
    }
    let models: Vec<String> = plays.iter().map(|play| play.4.clone()).collect();
    let server = TestServer::start(offer(&models)).await;
    let (mut charged, mut failed) = (Usd::ZERO, Vec::new());
    for (inbound, first, second, stream, model) in plays {
        let mut talk = Talk { server: &server, inbound, charged: Usd::ZERO };
        let (from, to) = (&CARRIERS[first], &CARRIERS[second]);
        match talk.moves(from, to, stream, &model).await {
            Ok(()) => charged = charged.checked_add(talk.charged).unwrap(),
            Err(error) => failed.push(format!("{model}: {} to {}: {error:#}", from.tag, to.tag)),
        }
    }
    assert!(failed.is_empty(), "{} conversations failed:\n{}", failed.len(), failed.join("\n"));
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged, "what was told is what was charged");
    let tokens = server.journal().entries();
    let tokens = tokens.iter().filter(|entry| entry.dialect == "oauth-token").count();
    assert_eq!(tokens, 1, "an access token lasts");
}

impl Talk<'_> {
    /// The second turn finds the first carrier down.
    async fn moves(
        &mut self,
        from: &Carrier,
        to: &Carrier,
        stream: bool,
        model: &str,
    ) -> Result<()> {
        let ask = Ask {
            model: format!("acme/{model}"),
            stream,
            tools: 2,
            thinks: true,
            order: vec![from.tag.to_owned()],
            ..Ask::default()
        };
        let first = self.ask(&ask).await?;
        let sold_as = format!("{model}+reason+redacted+tools");
        let sent = self.entry(&sold_as, 0)?;
        travelled(&sent, from)?;
        self.truth(&first, &sent).await?;
        called(&first, 2)?;
        whole(&first)?;
        ensure!(first.thoughts == THOUGHT, "{first:?}");
        ensure!(first.seals.len() == 2, "a signature and a sealed block: {:?}", first.seals);
        let results = first.calls.iter().map(|call| (call.id.clone(), "21 °C".to_owned()));
        let past = Past { replay: first.replay.clone(), results: results.collect() };
        let order = vec![from.down(), to.tag.to_owned()];
        let second = self.ask(&Ask { past: Some(past), order, ..ask.clone() }).await?;
        let refused = self.entry(&format!("{model}+status-503"), 0)?;
        travelled(&refused, from)?;
        let sent = self.entry(&sold_as, 1)?;
        travelled(&sent, to)?;
        self.truth(&second, &sent).await?;
        whole(&second)?;
        ensure!(second.text == ANSWERED, "{second:?}");
        came_back(&first, &sent)?;
        let attempts = &second.metadata.as_ref().context("no metadata")?["attempts"];
        let statuses: Vec<&Value> =
            attempts.as_array().into_iter().flatten().map(|one| &one["status"]).collect();
        ensure!(statuses == [503, 200], "{attempts}");
        Ok(())
    }
}

/// A request went by its carrier, with that one's credential.
fn travelled(entry: &Entry, carrier: &Carrier) -> Result<()> {
    ensure!(entry.path.contains(carrier.path), "{} is not {}", entry.path, carrier.path);
    let (header, value) = carrier.credential;
    let found = entry.headers.get(header).map(String::as_str);
    ensure!(found == Some(value), "{header} {found:?} of {}", carrier.tag);
    Ok(())
}

#[tokio::test]
async fn encrypted_reasoning_survives_a_move_to_another_endpoint_of_its_dialect() {
    let mut offer = Offer::new();
    for slug in ["up", "down", "next"] {
        offer = carrier(offer, Outbound::Responses, slug);
    }
    for inbound in CLIENTS {
        let name = inbound.name();
        let stands = [("up", "tools"), ("down", "status-503"), ("next", "tools")]
            .map(|(slug, does)| Stand::new(slug, &format!("{name}-{slug}+reason+{does}")));
        offer = offer.model_with(&format!("acme/{name}"), members(), stands);
    }
    let server = TestServer::start(offer).await;
    for inbound in CLIENTS {
        for (turn, stream) in [false, true].into_iter().enumerate() {
            let talk = Talk { server: &server, inbound, charged: Usd::ZERO };
            let order = vec!["up".to_owned()];
            let model = format!("acme/{}", inbound.name());
            let ask = Ask { model, stream, tools: 1, thinks: true, order, ..Ask::default() };
            let first = talk.ask(&ask).await.unwrap();
            let results = vec![(first.calls[0].id.clone(), "warm".to_owned())];
            let past = Past { replay: first.replay.clone(), results };
            let order = vec!["down".to_owned(), "next".to_owned()];
            let second = Ask { past: Some(past), order, ..ask.clone() };
            assert_eq!(talk.ask(&second).await.unwrap().text, ANSWERED);
            let sent = talk.entry(&format!("{}-next+reason+tools", inbound.name()), turn).unwrap();
            came_back(&first, &sent).unwrap();
            let input = sent.body.as_ref().unwrap()["input"].as_array().unwrap();
            let sealed = input.iter().filter(|item| item["type"] == "reasoning").count();
            assert_eq!(sealed, 1, "{input:?}");
        }
    }
    server.closes_clean().await;
}
