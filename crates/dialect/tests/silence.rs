//! Never silence: a member that a client may send changes what a provider gets, or is reported as lost.
//!
//! Each table has the members that its dialect documents, with a request that has everything but that
//! one. What may go without a word is listed with the reason; the list can't grow stale, because what
//! it names must really be silent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

#[path = "silence/chat.rs"]
mod chat;
#[path = "silence/completions.rs"]
mod completions;
#[path = "silence/messages.rs"]
mod messages;
#[path = "silence/responses.rs"]
mod responses;

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use serde_json::Value;
use signalbox_core::ParameterSet;
use signalbox_dialect::conversation::Conversation;
use signalbox_dialect::document::Document;
use signalbox_dialect::gemini::write_request::{ThinkingStyle, Traits};
use signalbox_dialect::outbound::write_request;
use signalbox_dialect::patch::Patches;
use signalbox_dialect::{Outbound, ReasoningStyle, WireDialect};

/// Members that may be added to a request, each alone: where, under which key (`-` adds to a list), and
/// the value.
struct Group {
    request: &'static str,
    at: &'static str,
    members: &'static [(&'static str, &'static str)],
}

/// What may be silent: the member as `at/key`, the dialects of providers (`*` is all), and why.
type Allowed = (&'static str, &'static [&'static str], &'static str);

const ROUTER: &str = "it is the router's own";
const ASKED: &str = "the router asks endpoints for the tier itself";
const HASHED: &str = "what leaves the process is a hash, which the router puts in";
const WITH_ITS_PART: &str = "the part itself is lost there, and that is reported";
const EXCLUDED: &str = "the router leaves reasoning out of the answer itself";
const STRICT: &str = "a schema is always kept to there";

fn outbound(dialect: WireDialect, patches: &Patches) -> Outbound<'_> {
    let thinking = ThinkingStyle::Level;
    Outbound {
        provider_model_id: "m-1",
        stream: false,
        unsupported: ParameterSet::EMPTY,
        max_output: None,
        endpoint_max_output: None,
        service_tier: None,
        user: None,
        patches,
        reasoning: match dialect {
            WireDialect::AnthropicMessages => ReasoningStyle::AdaptiveEffort,
            _ => ReasoningStyle::Effort,
        },
        asking: Default::default(),
        caches_prompts: true,
        traits: Traits { thinking, ..Traits::default() },
        template: Default::default(),
        betas: &[],
        forward_name: false,
        cache: Default::default(),
    }
}

/// What a provider gets of a request and what it does not, or the refusal.
fn sent(
    read: fn(&Document) -> Result<Conversation, String>,
    request: &Value,
    dialect: WireDialect,
) -> Result<(Value, Vec<String>), String> {
    let document = Document::parse(Bytes::from(request.to_string())).unwrap();
    let conversation = read(&document)?;
    let patches = Patches::default();
    let written = write_request(dialect, &conversation, &outbound(dialect, &patches));
    let written = written.map_err(|error| error.to_string())?;
    let losses = written.losses.iter().map(ToString::to_string).collect();
    Ok((serde_json::from_slice(&written.body).unwrap(), losses))
}

fn with(request: &Value, at: &str, key: &str, value: &str) -> Value {
    let value: Value = serde_json::from_str(value).unwrap_or_else(|_| panic!("{key}: {value}"));
    let mut request = request.clone();
    let place = request.pointer_mut(at).unwrap_or_else(|| panic!("{at} for {key}"));
    match place {
        Value::Array(list) => list.push(value),
        Value::Object(object) => {
            assert!(object.insert(key.to_owned(), value).is_none(), "{at}/{key} is there already");
        }
        other => panic!("{at}: {other}"),
    }
    request
}

/// Holds if nothing is silent but what may be.
fn never_silent(
    read: fn(&Document) -> Result<Conversation, String>,
    groups: &[Group],
    allowed: &[Allowed],
) {
    let mut silent = BTreeSet::new();
    let mut all = BTreeSet::new();
    for Group { request, at, members } in groups {
        let request: Value = serde_json::from_str(request).unwrap();
        for (key, value) in *members {
            let more = with(&request, at, key, value);
            let shown = if *key == "-" { value } else { key };
            for dialect in WireDialect::ALL {
                let before = sent(read, &request, dialect).unwrap();
                let after = sent(read, &more, dialect);
                all.insert((format!("{at}/{shown}"), dialect.name()));
                if after == Ok(before) {
                    silent.insert((format!("{at}/{shown}"), dialect.name()));
                }
            }
        }
    }
    let mut permitted = BTreeSet::new();
    for (member, dialects, reason) in allowed {
        assert!(reason.len() > 10, "{member} needs a reason");
        let every = *dialects == ["*"];
        let dialects = WireDialect::ALL
            .iter()
            .map(|one| one.name())
            .filter(|name| every || dialects.contains(name));
        permitted.extend(dialects.map(|dialect| ((*member).to_owned(), dialect)));
    }
    let show = |set: BTreeSet<&(String, &'static str)>| {
        let mut lines: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (member, dialect) in set {
            lines.entry(member).or_default().push(dialect);
        }
        let line = |(member, dialects): (&str, Vec<&str>)| {
            let every = dialects.len() == WireDialect::ALL.len();
            format!("\n  {member} to {}", if every { "*".to_owned() } else { dialects.join(" ") })
        };
        lines.into_iter().map(line).collect::<String>()
    };
    let unheard = show(silent.difference(&permitted).collect());
    assert!(unheard.is_empty(), "silently dropped:{unheard}");
    let stale = show(permitted.difference(&silent).collect());
    assert!(stale.is_empty(), "allowed but not silent:{stale}");
    assert!(all.len() > 7);
}
