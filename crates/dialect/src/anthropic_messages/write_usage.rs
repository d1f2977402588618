//! Our `usage` object in this dialect (inference spec 2.3).

use super::read_usage::beside_iterations;
use crate::document::{Edits, Kind, Raw, splice};
use crate::identity::{Extras, UsageReport};
use crate::openai_chat::usage::cost_members;
use crate::scan::push_string;

/// Appends the counts and what they cost. They are totals: a client that saw others before takes
/// these instead of adding them.
pub(super) fn push_usage(out: &mut Vec<u8>, report: &UsageReport, extras: &Extras<'_>) {
    let usage = &report.usage;
    push_counts(
        out,
        usage.input_uncached,
        (usage.cache_write_5m, usage.cache_write_1h),
        usage.cache_read,
        usage.output,
    );
    let thinking = usage.reasoning;
    out.extend_from_slice(
        format!(",\"output_tokens_details\":{{\"thinking_tokens\":{thinking}}}").as_bytes(),
    );
    out.extend_from_slice(b",\"server_tool_use\":");
    if usage.searches > 0 {
        let searches = usage.searches;
        out.extend_from_slice(
            format!("{{\"web_search_requests\":{searches},\"web_fetch_requests\":0}}").as_bytes(),
        );
    } else {
        out.extend_from_slice(b"null");
    }
    if let Some(tier) = extras.service_tier {
        out.extend_from_slice(b",\"service_tier\":");
        // The tier that others call the default has a name here (inference spec 16.5).
        push_string(out, if tier == "default" { "standard" } else { tier });
    }
    out.push(b',');
    out.extend_from_slice(cost_members(report).as_bytes());
    out.push(b'}');
}

/// Appends the same on top of the provider's own `usage` object: members that nobody else knows stay.
pub(super) fn push_usage_over(
    out: &mut Vec<u8>,
    provider: Option<Raw<'_>>,
    report: &UsageReport,
    extras: &Extras<'_>,
) {
    let provider = provider.filter(|raw| raw.kind() == Kind::Object);
    let usage = provider.map_or(report.usage, |raw| beside_iterations(&report.usage, raw));
    let mut ours = Vec::with_capacity(512);
    push_usage(&mut ours, &UsageReport { usage, ..*report }, extras);
    let (Some(provider), Ok(text)) = (provider, std::str::from_utf8(&ours)) else {
        out.append(&mut ours);
        return;
    };
    let mut edits = Edits::default();
    for entry in Raw::new(text).members() {
        // Theirs counts more than searches.
        let is_theirs = entry.key == "server_tool_use"
            && provider.get(&entry.key).is_some_and(|raw| raw.kind() == Kind::Object);
        if !is_theirs {
            edits.set(entry.key.into_owned(), entry.value.text().to_owned());
        }
    }
    out.extend_from_slice(splice(provider.text(), provider.members(), &edits).as_bytes());
}

/// The counts of an answer that has only begun, as JSON.
pub(super) fn placeholder() -> String {
    let mut counts = Vec::with_capacity(192);
    push_placeholder(&mut counts);
    String::from_utf8_lossy(&counts).into_owned()
}

/// Appends the counts of an answer that has only begun.
pub(super) fn push_placeholder(out: &mut Vec<u8>) {
    push_counts(out, 0, (0, 0), 0, 0);
    out.push(b'}');
}

/// Appends the object up to its counts of tokens, without its closing brace. Writes to a cache are
/// of five minutes and of one hour.
fn push_counts(out: &mut Vec<u8>, input: u64, written: (u64, u64), read: u64, output: u64) {
    let (short, long) = written;
    let both = short.saturating_add(long);
    out.extend_from_slice(
        format!(
            "{{\"input_tokens\":{input},\"cache_creation_input_tokens\":{both},\
             \"cache_read_input_tokens\":{read},\"cache_creation\":\
             {{\"ephemeral_5m_input_tokens\":{short},\"ephemeral_1h_input_tokens\":{long}}},\
             \"output_tokens\":{output}"
        )
        .as_bytes(),
    );
}
