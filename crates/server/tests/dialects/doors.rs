//! What is special about one door or another.

use serde_json::{Value, json};
use signalbox_core::Usd;
use signalbox_testkit::{Offer, Stand, TestServer};

use crate::cell::Talk;
use crate::hear::{hear, refusal};
use crate::say::{Ask, PLEA, RULES, TOOLS, schema, shaped};
use crate::sell::{carrier, members, stand};
use crate::table::{Inbound, Outbound};

/// A model whose endpoints speak these dialects, in this order.
async fn sold(model: &str, stands: &[(Outbound, &str)]) -> TestServer {
    let mut offer = Offer::new();
    for (outbound, _) in stands {
        offer = carrier(offer, *outbound, outbound.slug());
    }
    let stands = stands.iter().map(|(outbound, does)| stand(*outbound, outbound.slug(), does));
    TestServer::start(offer.model_with(model, members(), stands)).await
}

fn ask(model: &str, stream: bool) -> Ask {
    Ask { model: model.to_owned(), stream, ..Ask::default() }
}

#[tokio::test]
async fn who_requires_every_parameter_gets_an_endpoint_that_can_carry_all_or_none() {
    let all = [(Outbound::Cohere, "describe"), (Outbound::Gemini, "describe+pdf")];
    for (stands, answers) in [(&all[..], true), (&all[..1], false)] {
        let server = sold("acme/m1", stands).await;
        for inbound in [Inbound::Chat, Inbound::Responses, Inbound::Messages] {
            for stream in [false, true] {
                let asked = Ask { pdf: true, ..ask("acme/m1", stream) };
                let mut body = asked.body(inbound);
                let order = ["cohere-v2", "gemini"];
                body["provider"] = json!({"order": order, "require_parameters": true});
                let reply = server.caller().post(inbound.path(), &body).await;
                if answers {
                    let heard = hear(inbound, &reply, stream).unwrap();
                    assert_eq!(heard.text, "application/pdf:18");
                    continue;
                }
                assert_eq!(reply.status, 404, "{}", reply.json());
                assert_eq!(refusal(inbound, &reply).unwrap(), "not_found");
                let told = reply.json()["error"]["availability"].clone();
                assert_eq!(told["code"], "no_endpoints", "{told}");
                assert_eq!(told["excluded_by"], json!(["require_parameters"]), "{told}");
            }
        }
        assert!(server.journal().of_model("describe").is_empty(), "nothing is sent in vain");
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn what_was_sent_is_shown_first_for_each_attempt() {
    let stands = [(Outbound::Messages, "status-503"), (Outbound::Gemini, "tokens-3")];
    for inbound in [Inbound::Chat, Inbound::Responses] {
        let server = sold("acme/m1", &stands).await;
        let order = vec!["anthropic-messages".to_owned(), "gemini".to_owned()];
        let mut body = Ask { order, ..ask("acme/m1", true) }.body(inbound);
        body["debug"] = json!({"echo_upstream_body": true});
        let reply = server.caller().post(inbound.path(), &body).await;
        let heard = hear(inbound, &reply, true).unwrap();
        assert_eq!(heard.text, "t0 t1 t2 ");
        let text = String::from_utf8(reply.body.to_vec()).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let shown: Vec<Value> =
            events.take(2).map(|event| event["debug"]["echo_upstream_body"].clone()).collect();
        let sent = ["status-503", "tokens-3"]
            .map(|model| server.journal().of_model(model)[0].body.clone().unwrap());
        assert_eq!(shown, sent);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn cursor_may_send_flat_tools_and_the_input_of_another_dialect() {
    let server = sold("acme/m1", &[(Outbound::Messages, "tools")]).await;
    let tool = json!({"type": "function", "name": TOOLS[0], "parameters": schema()});
    let messages = json!([{"role": "system", "content": RULES}, {"role": "user", "content": PLEA}]);
    for stream in [false, true] {
        for talk in ["messages", "input"] {
            let body = json!({
                "model": "acme/m1", "stream": stream, "tools": [tool], talk: messages,
                "tool_choice": {"type": "function", "name": TOOLS[0]},
            });
            let reply = server.caller().post("/api/v1/cursor/chat/completions", &body).await;
            let heard = hear(Inbound::Chat, &reply, stream).unwrap();
            assert_eq!(heard.calls.len(), 1, "{heard:?}");
            assert_eq!(
                (heard.calls[0].name.as_str(), &heard.calls[0].arguments),
                (TOOLS[0], &shaped())
            );
        }
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_model_may_be_called_by_its_providers_name_for_it() {
    let server = sold("acme/claude-9", &[(Outbound::Messages, "claude-9-20270101")]).await;
    for inbound in Inbound::ALL {
        let talk = Talk { server: &server, inbound, charged: Usd::ZERO };
        let heard = talk.ask(&ask("claude-9-20270101", false)).await.unwrap();
        assert_eq!(heard.text, PLEA, "the simulator echoes");
    }
    server.closes_clean().await;
}

#[tokio::test]
async fn a_responses_prompt_that_fits_nowhere_is_an_incomplete_answer() {
    let name = "status-400-context";
    let all = [Outbound::Responses, Outbound::Messages, Outbound::Gemini, Outbound::Converse];
    for outbound in all {
        let server = sold("acme/m1", &[(outbound, name)]).await;
        for stream in [false, true] {
            let talk = Talk { server: &server, inbound: Inbound::Responses, charged: Usd::ZERO };
            let heard = hear(Inbound::Responses, &talk.post(&ask("acme/m1", stream)).await, stream);
            let heard = heard.unwrap();
            assert_eq!((heard.end.as_str(), heard.text.as_str()), ("length", ""), "{outbound:?}");
            for inbound in [Inbound::Chat, Inbound::Messages] {
                let talk = Talk { server: &server, inbound, charged: Usd::ZERO };
                let reply = talk.post(&ask("acme/m1", stream)).await;
                assert_eq!(refusal(inbound, &reply).unwrap(), "context_length_exceeded");
                assert_eq!(reply.status, 400);
            }
        }
        assert_eq!(server.balance().await.charged, Usd::ZERO);
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn beta_features_go_where_the_carrier_has_a_place_for_them() {
    let all = [Outbound::Messages, Outbound::Invoke, Outbound::RawPredict, Outbound::Gemini];
    for outbound in all {
        let server = sold("acme/m1", &[(outbound, "echo")]).await;
        let names = "interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14";
        let caller = server.caller().with("anthropic-beta", names);
        for inbound in [Inbound::Messages, Inbound::Chat] {
            let reply = caller.post(inbound.path(), &ask("acme/m1", false).body(inbound)).await;
            hear(inbound, &reply, false).unwrap();
            let sent = server.journal().entries().pop().unwrap();
            let header = sent.headers.get("anthropic-beta").map(String::as_str);
            let member = sent.body.unwrap()["anthropic_beta"].clone();
            let listed: Vec<&str> = names.split(',').collect();
            match outbound {
                Outbound::Messages | Outbound::RawPredict => {
                    assert_eq!((header, member), (Some(names), Value::Null), "{outbound:?}");
                }
                Outbound::Invoke => assert_eq!((header, member), (None, json!(listed))),
                _ => assert_eq!((header, member), (None, Value::Null)),
            }
        }
        server.closes_clean().await;
    }
}

#[tokio::test]
async fn a_limit_is_told_in_every_language() {
    let outbounds = Outbound::ALL.into_iter().filter(|one| *one != Outbound::Completions);
    for outbound in outbounds {
        let stands = [stand(outbound, outbound.slug(), "tokens-50")];
        let offer = carrier(Offer::new(), outbound, outbound.slug());
        let server = TestServer::start(offer.model("acme/m1", stands)).await;
        for inbound in Inbound::ALL {
            for stream in [false, true] {
                let mut body = ask("acme/m1", stream).body(inbound);
                let limit =
                    if inbound == Inbound::Responses { "max_output_tokens" } else { "max_tokens" };
                body[limit] = json!(20);
                let reply = server.caller().post(inbound.path(), &body).await;
                let heard = hear(inbound, &reply, stream).unwrap();
                assert_eq!(heard.end, "length", "{inbound:?} {outbound:?} {heard:?}");
                assert_eq!(heard.usage.unwrap().output, 20, "{inbound:?} {outbound:?}");
            }
        }
        server.closes_clean().await;
    }
}

/// Used where a provider needs no row of its own.
#[tokio::test]
async fn an_endpoint_without_a_dialect_speaks_chat() {
    let offer = Offer::new().model("acme/m1", [Stand::new("plain", "tokens-2")]);
    let server = TestServer::start(offer).await;
    for inbound in Inbound::ALL {
        let mut talk = Talk { server: &server, inbound, charged: Usd::ZERO };
        let heard = talk.ask(&ask("acme/m1", true)).await.unwrap();
        assert_eq!(heard.text, "t0 t1 ");
        let sent = server.journal().entries().pop().unwrap();
        assert_eq!(sent.dialect, "openai-chat");
        talk.truth(&heard, &sent).await.unwrap();
    }
    server.closes_clean().await;
}
