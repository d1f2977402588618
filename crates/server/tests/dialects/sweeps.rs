//! Shades that every pair of languages has to get right, beside the table.

use anyhow::{Result, ensure};
use serde_json::json;
use signalbox_core::Usd;
use signalbox_testkit::{Offer, TestServer};

use crate::cell::Talk;
use crate::hear::{Heard, hear};
use crate::say::Ask;
use crate::sell::{carrier, members, stand};
use crate::table::{Inbound, Outbound};

/// A server where every provider behaves alike: one model for each.
async fn alike(does: &str) -> TestServer {
    let mut offer = Offer::new();
    for outbound in Outbound::ALL {
        let sold_as = format!("{}+{does}", outbound.slug());
        let stands = [stand(outbound, outbound.slug(), &sold_as)];
        offer = carrier(offer, outbound, outbound.slug());
        offer = offer.model_with(&format!("alike/{}", outbound.slug()), members(), stands);
    }
    TestServer::start(offer).await
}

/// Asks every provider in every language; what is wrong with the answers is told together.
async fn sweep(does: &str, judge: impl AsyncFn(&TestServer, Outbound, &Heard) -> Result<()>) {
    let server = alike(does).await;
    let (mut failed, mut charged) = (Vec::new(), Usd::ZERO);
    for inbound in Inbound::ALL {
        for outbound in Outbound::ALL {
            for stream in [false, true] {
                let model = format!("alike/{}", outbound.slug());
                let mut talk = Talk { server: &server, inbound, charged: Usd::ZERO };
                let ask = Ask { model, stream, ..Ask::default() };
                let result = async {
                    let heard = hear(inbound, &talk.post(&ask).await, stream)?;
                    let sold_as = format!("{}+{does}", outbound.slug());
                    let entries = server.journal().of_model(&sold_as);
                    let mut entry = entries[entries.len() - 1].clone();
                    // Where nothing is said at the end, what was said before stands.
                    let told = heard.usage.as_ref().map_or(0, |told| told.output);
                    entry.tokens = entry.tokens.max(told.min(1));
                    talk.truth(&heard, &entry).await?;
                    judge(&server, outbound, &heard).await
                };
                match result.await {
                    Ok(()) => charged = charged.checked_add(talk.charged).unwrap(),
                    Err(error) => {
                        failed.push(format!("{inbound:?} {outbound:?} {stream}: {error:#}"))
                    }
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    server.closes_clean().await;
    assert_eq!(server.balance().await.charged, charged);
}

#[tokio::test]
async fn tokens_of_a_cache_are_told_apart_and_counted_once() {
    sweep("tokens-5+cached+cache-write", async |server, outbound, heard| {
        let usage = server.generation(&heard.id).await.usage;
        let prompt = heard.usage.as_ref().map_or(0, |told| told.input);
        ensure!(
            usage.prompt() == prompt && usage.cache_read == prompt / 2,
            "{usage:?} of {prompt}"
        );
        let written = usage.cache_write_5m + usage.cache_write_1h;
        let tells = !matches!(outbound, Outbound::Gemini | Outbound::Cohere);
        ensure!(written == if tells { prompt / 4 } else { 0 }, "{outbound:?} {usage:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_told_by_its_end_or_its_words() {
    sweep("refuse", async |_, _, heard| {
        let says_no = heard.text.contains("can't help");
        let ends = ["content_filter", "refusal"].contains(&heard.end.as_str());
        ensure!(says_no || ends, "{heard:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_citation_never_spoils_the_text() {
    sweep("tokens-5+cite", async |_, _, heard| {
        ensure!(heard.text == "t0 t1 t2 t3 t4 " && heard.end == "stop", "{heard:?}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_empty_answer_is_one_and_keep_alives_are_none() {
    sweep("comments+empty", async |_, _, heard| {
        ensure!(heard.text.is_empty() && heard.end == "stop", "{heard:?}");
        Ok(())
    })
    .await;
}

/// An image at an address arrives as one, or as a loss.
#[tokio::test]
async fn an_image_at_an_address_arrives_or_is_reported() {
    let server = alike("describe").await;
    let url = "https://images.example/a.png";
    let parts = json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]);
    for outbound in Outbound::ALL {
        let model = format!("alike/{}", outbound.slug());
        let body = json!({"model": model, "max_tokens": 99,
            "messages": [{"role": "user", "content": parts}]});
        let caller = server.caller().with("X-OpenRouter-Metadata", "enabled");
        let heard = hear(Inbound::Chat, &caller.chat(&body).await, false).unwrap();
        let arrived = heard.text.contains(url);
        let lost = heard.losses().iter().any(|(kind, _)| kind == "content");
        assert!(arrived != lost, "{outbound:?}: {} {:?}", heard.text, heard.losses());
    }
    server.closes_clean().await;
}
