//! How reasoning is asked for (inference spec 9), through everything between a request and a body.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use signalbox_catalog::Endpoint;
use signalbox_core::Parameter;
use signalbox_dialect::ReasoningStyle;
use signalbox_gateway::{Surface, World};

use crate::world::{MADE_UP, ask, world};

/// Members that ask for reasoning, in any dialect.
const MEMBERS: [&str; 10] = [
    "reasoning",
    "reasoning_effort",
    "thinking",
    "enable_thinking",
    "thinking_budget",
    "chat_template_kwargs",
    "disable_reasoning",
    "output_config",
    "thinkingConfig",
    "additionalModelRequestFields",
];

fn endpoint(world: &World, model: &str, provider: &str) -> Arc<Endpoint> {
    let mut endpoints = world.catalog.endpoints(model).iter();
    let found = endpoints.find(|one| one.provider == provider);
    found.unwrap_or_else(|| panic!("no {model} at {provider}")).clone()
}

/// What of a body asks for reasoning.
fn asking(body: &[u8]) -> Value {
    let body: Map<String, Value> = serde_json::from_slice(body).unwrap();
    let config = body.get("generationConfig").and_then(Value::as_object).cloned();
    let all = body.into_iter().chain(config.unwrap_or_default());
    Value::Object(all.filter(|(key, _)| MEMBERS.contains(&key.as_str())).collect())
}

/// What an endpoint is sent for these members of a chat request.
fn sent(world: &World, endpoint: &Endpoint, members: &Value) -> Result<Value, String> {
    let mut body = json!({"messages": [{"role": "user", "content": "Why?"}]});
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    let found = ask(world, endpoint, Surface::Chat, body).map_err(|error| error.message)?;
    Ok(asking(&found.body))
}

fn check(cases: &[(&str, &str, Value, Value)]) {
    let world = world();
    for (model, provider, members, expected) in cases {
        let endpoint = endpoint(&world, model, provider);
        let found = sent(&world, &endpoint, members);
        assert_eq!(found.as_ref(), Ok(expected), "{model} at {provider}: {members}");
    }
}

fn effort(word: &str) -> Value {
    json!({"max_tokens": 10_000, "reasoning": {"effort": word}})
}

fn budget(tokens: u64) -> Value {
    json!({"max_tokens": 10_000, "reasoning": {"max_tokens": tokens}})
}

fn enabled(on: bool) -> Value {
    json!({"max_tokens": 10_000, "reasoning": {"enabled": on}})
}

#[test]
fn claude_is_asked_by_generation() {
    let on = |tokens: u64| json!({"thinking": {"type": "enabled", "budget_tokens": tokens}});
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    let by = |word: &str| json!({"thinking": adaptive, "output_config": {"effort": word}});
    let free = json!({"thinking": adaptive});
    let off = json!({"thinking": {"type": "disabled"}});
    let at = "anthropic";
    let (old, mid, new, five, fable) = (
        "anthropic/claude-haiku-4.5",
        "anthropic/claude-opus-4.6",
        "anthropic/claude-opus-4.8",
        "anthropic/claude-sonnet-5",
        "anthropic/claude-fable-5",
    );
    let loud = |word: &str, said: &str| json!({"reasoning": {"effort": word}, "verbosity": said});
    check(&[
        (old, at, json!({}), json!({})),
        (old, at, effort("max"), on(9500)),
        (old, at, effort("xhigh"), on(9500)),
        (old, at, effort("high"), on(8000)),
        (old, at, effort("medium"), on(5000)),
        (old, at, effort("low"), on(2000)),
        (old, at, effort("minimal"), on(1024)),
        (old, at, effort("none"), json!({})),
        (old, at, enabled(true), on(5000)),
        (old, at, budget(3000), on(3000)),
        (old, at, budget(1), on(1024)),
        (old, at, budget(20_000), on(9999)),
        (old, at, json!({"reasoning": {"exclude": true}}), json!({})),
        (mid, at, effort("xhigh"), by("high")),
        (mid, at, effort("max"), by("max")),
        (mid, at, effort("minimal"), by("low")),
        (mid, at, budget(3000), on(3000)),
        (mid, at, enabled(false), json!({})),
        (mid, at, loud("low", "max"), by("max")),
        (new, at, effort("xhigh"), by("xhigh")),
        (new, at, budget(3000), free.clone()),
        (new, at, enabled(false), json!({})),
        (new, at, json!({}), json!({})),
        (five, at, json!({}), free.clone()),
        (five, at, enabled(false), off.clone()),
        (five, at, effort("none"), off),
        (five, at, loud("low", "high"), by("high")),
        (fable, at, json!({}), free),
        (mid, "amazon-bedrock", effort("high"), by("high")),
        (old, "google-vertex", effort("low"), on(2000)),
    ]);
}

#[test]
fn efforts_are_those_that_the_model_knows() {
    let word = |word: &str| json!({"reasoning_effort": word});
    let said = |word: &str| json!({"reasoning": {"effort": word, "summary": "auto"}});
    let is = |word: &str| json!({"reasoning_effort": word});
    check(&[
        ("openai/gpt-5", "openai", effort("xhigh"), word("high")),
        ("openai/gpt-5", "openai", is("minimal"), word("minimal")),
        ("openai/gpt-5", "openai", budget(5200), word("medium")),
        ("openai/gpt-5.1", "openai", enabled(false), word("none")),
        ("openai/gpt-5.1", "openai", enabled(true), word("medium")),
        ("openai/gpt-5.1", "openai", json!({"reasoning": {"exclude": true}}), json!({})),
        ("openai/gpt-5.6-sol", "openai", effort("max"), word("max")),
        ("openai/o3", "openai", effort("none"), word("low")),
        ("openai/o4-mini-high", "openai", effort("low"), word("high")),
        ("openai/gpt-5.5-pro", "openai", effort("low"), said("medium")),
        ("openai/gpt-5.4", "amazon-bedrock", effort("max"), said("xhigh")),
        ("x-ai/grok-4.3", "xai", effort("none"), word("none")),
        ("x-ai/grok-4.5", "xai", effort("minimal"), word("low")),
        ("x-ai/grok-4.20", "xai", effort("high"), json!({})),
        ("mistralai/mistral-small-2603", "mistral", effort("low"), word("high")),
        ("inception/mercury-2", "inception", effort("none"), word("instant")),
        ("upstage/solar-pro-3", "upstage", effort("max"), word("high")),
        ("moonshotai/kimi-k3", "moonshotai", effort("medium"), word("high")),
        ("qwen/qwen3-32b", "groq", effort("low"), word("default")),
        ("qwen/qwen3-32b", "groq", effort("none"), word("none")),
        ("openai/gpt-oss-120b", "together", effort("xhigh"), word("high")),
    ]);
}

#[test]
fn switches_are_set_where_the_provider_looks_for_them() {
    let kwargs = |on: bool| json!({"chat_template_kwargs": {"enable_thinking": on}});
    let thinking = |word: &str| json!({"thinking": {"type": word}});
    let both = |word: &str| json!({"thinking": {"type": "enabled"}, "reasoning_effort": word});
    let alibaba = |tokens: u64| json!({"enable_thinking": true, "thinking_budget": tokens});
    let own = json!({"chat_template_kwargs": {"own": 1, "enable_thinking": true}});
    let with_own = json!({"reasoning": {"enabled": true}, "chat_template_kwargs": {"own": 1}});
    check(&[
        ("z-ai/glm-5.1", "z-ai", effort("low"), thinking("enabled")),
        ("z-ai/glm-5.1", "z-ai", enabled(false), thinking("disabled")),
        ("z-ai/glm-5.1", "z-ai", json!({}), json!({})),
        ("z-ai/glm-5.2", "z-ai", effort("low"), both("high")),
        ("z-ai/glm-5.1", "friendli", enabled(false), kwargs(false)),
        ("z-ai/glm-5.2", "coreweave", with_own, own),
        ("z-ai/glm-4.7", "cerebras", enabled(false), json!({"disable_reasoning": true})),
        ("z-ai/glm-4.7", "cerebras", effort("low"), json!({})),
        ("deepseek/deepseek-v4-pro", "deepseek", effort("xhigh"), both("max")),
        ("deepseek/deepseek-v4-pro", "deepseek", effort("none"), thinking("disabled")),
        ("minimax/minimax-m3", "minimax", effort("low"), thinking("adaptive")),
        ("moonshotai/kimi-k2.7-code", "moonshotai", effort("low"), json!({})),
        ("qwen/qwen3-32b", "alibaba", effort("low"), alibaba(2000)),
        ("qwen/qwen3-32b", "alibaba", budget(700), alibaba(700)),
        (
            "qwen/qwen3-32b",
            "alibaba",
            json!({"reasoning_effort": "low"}),
            json!({"enable_thinking": true}),
        ),
        ("qwen/qwen3-32b", "siliconflow", budget(100), alibaba(128)),
        (
            "qwen/qwen-plus-2025-07-28:thinking",
            "alibaba",
            json!({}),
            json!({"enable_thinking": true}),
        ),
        (
            "moonshotai/kimi-k2.6",
            "together",
            effort("none"),
            json!({"reasoning": {"enabled": false}}),
        ),
        (
            "poolside/laguna-s-2.1",
            "poolside",
            budget(2000),
            json!({"reasoning": {"effort": "low"}}),
        ),
        ("deepseek/deepseek-r1-0528", "novita", effort("high"), json!({})),
    ]);
}

#[test]
fn other_dialects_have_words_of_their_own() {
    let thinking = |value: Value| json!({"thinkingConfig": value});
    let shown = |key: &str, value: Value| thinking(json!({key: value, "includeThoughts": true}));
    let more = |value: Value| json!({"additionalModelRequestFields": value});
    let nova = json!({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}});
    let (studio, bedrock) = ("google-ai-studio", "amazon-bedrock");
    let hidden = json!({"reasoning": {"effort": "low", "exclude": true}});
    check(&[
        (
            "google/gemini-3.1-flash-lite",
            studio,
            effort("xhigh"),
            shown("thinkingLevel", json!("high")),
        ),
        ("google/gemini-3.1-flash-lite", studio, budget(900), shown("thinkingBudget", json!(900))),
        ("google/gemini-3.1-flash-lite", studio, hidden, thinking(json!({"thinkingLevel": "low"}))),
        (
            "google/gemini-3.1-pro-preview",
            studio,
            effort("minimal"),
            shown("thinkingLevel", json!("low")),
        ),
        ("google/gemini-2.5-flash", studio, effort("low"), shown("thinkingBudget", json!(2000))),
        ("google/gemini-2.5-flash", studio, enabled(false), thinking(json!({"thinkingBudget": 0}))),
        ("google/gemini-2.5-flash", studio, json!({}), thinking(json!({"includeThoughts": true}))),
        ("openai/gpt-oss-120b", bedrock, effort("max"), more(json!({"reasoning_effort": "high"}))),
        ("amazon/nova-2-lite-v1", bedrock, effort("max"), more(nova)),
        ("amazon/nova-2-lite-v1", bedrock, enabled(false), json!({})),
        (
            "cohere/north-mini-code:free",
            "cohere",
            effort("high"),
            json!({"thinking": {"type": "enabled", "token_budget": 8000}}),
        ),
        ("cohere/command-r-08-2024", "cohere", effort("high"), json!({})),
    ]);
}

#[test]
fn what_must_reason_refuses_not_to_unless_an_alias_was_named() {
    let world = world();
    let fable = endpoint(&world, "anthropic/claude-fable-5", "anthropic");
    for off in [enabled(false), effort("none"), budget(0)] {
        let error = sent(&world, &fable, &off).unwrap_err();
        assert!(error.contains("mandatory"), "{error}");
    }
    let lowest = json!({"thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "low"}});
    for (members, expected) in
        [(enabled(false), "low"), (effort("none"), "low"), (budget(0), "medium")]
    {
        let mut asked = members.clone();
        asked["model"] = json!("~anthropic/claude-fable-latest");
        let found = sent(&world, &fable, &asked).unwrap();
        let mut all = lowest.clone();
        all["output_config"]["effort"] = json!(expected);
        assert_eq!(found, all, "{members}");
    }
    // Others of the list do what is asked.
    let mut both = enabled(false);
    both["models"] = json!(["anthropic/claude-fable-5", "anthropic/claude-sonnet-5"]);
    let sonnet = endpoint(&world, "anthropic/claude-sonnet-5", "anthropic");
    assert!(sent(&world, &sonnet, &both).is_ok());
    let contradiction = json!({"reasoning": {"effort": "low", "max_tokens": 100}});
    assert!(sent(&world, &fable, &contradiction).is_err());
}

#[test]
fn sampling_is_ignored_by_claude_from_4_7_on() {
    let world = world();
    let sampling = json!({"temperature": 0.3, "top_p": 0.5, "top_k": 4});
    for (model, kept) in
        [("anthropic/claude-haiku-4.5", true), ("anthropic/claude-opus-4.8", false)]
    {
        for surface in [Surface::Chat, Surface::Messages] {
            let mut body = json!({"messages": [{"role": "user", "content": "Why?"}],
                "max_tokens": 99, "model": model});
            for (key, value) in sampling.as_object().unwrap() {
                body[key] = value.clone();
            }
            let endpoint = endpoint(&world, model, "anthropic");
            let found = ask(&world, &endpoint, surface, body).unwrap();
            let body: Value = serde_json::from_slice(&found.body).unwrap();
            assert_eq!(body.get("temperature").is_some(), kept, "{model}");
            assert!(kept || (body.get("top_p").is_none() && body.get("top_k").is_none()));
        }
    }
}

#[test]
fn messages_clients_see_thoughts_unless_they_hide_them() {
    let world = world();
    let model = "anthropic/claude-opus-4.8";
    let endpoint = endpoint(&world, model, "anthropic");
    for (thinking, display) in [
        (json!({"type": "adaptive"}), "summarized"),
        (json!({"type": "adaptive", "display": "omitted"}), "omitted"),
    ] {
        let body = json!({"messages": [{"role": "user", "content": "Why?"}], "max_tokens": 9999,
            "thinking": thinking});
        let found = ask(&world, &endpoint, Surface::Messages, body).unwrap();
        assert_eq!(asking(&found.body)["thinking"]["display"], display);
    }
}

#[test]
fn every_endpoint_that_reasons_is_asked_in_a_way_that_its_dialect_has() {
    let world = world();
    let mut asked = 0;
    for model in world.catalog.models() {
        for endpoint in world.catalog.endpoints(&model.id) {
            let reasons = !endpoint.id.starts_with(MADE_UP)
                && endpoint.supported_parameters.contains(Parameter::Reasoning);
            let Some(road) = world.road(endpoint).filter(|_| reasons) else { continue };
            let style = world.manner(endpoint).map(|manner| manner.reasoning.style);
            assert!(style.is_none_or(|style| style.fits(road.dialect)), "{}", endpoint.name);
            let Ok(found) = sent(&world, endpoint, &effort("high")) else { continue };
            let silent = matches!(style, Some(ReasoningStyle::Fixed | ReasoningStyle::None));
            let off_alone = style == Some(ReasoningStyle::Switch);
            let said = found.as_object().is_some_and(|members| !members.is_empty());
            assert!(said || silent || off_alone, "{}: {style:?} {found}", endpoint.name);
            asked += 1;
        }
    }
    assert!(asked > 700, "{asked}");
}
