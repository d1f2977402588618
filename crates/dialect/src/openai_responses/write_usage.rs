//! Our `usage` object in this dialect (inference spec 2.3).

use crate::document::{Edits, Kind, Raw, splice};
use crate::identity::UsageReport;

/// The same on top of the provider's own object: members that nobody else knows stay.
pub(super) fn write_usage_over(provider: Option<Raw<'_>>, report: &UsageReport) -> String {
    let ours = write_usage(report);
    let Some(provider) = provider.filter(|raw| raw.kind() == Kind::Object) else { return ours };
    let mut edits = Edits::default();
    for entry in Raw::new(&ours).members() {
        edits.set(entry.key.into_owned(), entry.value.text().to_owned());
    }
    splice(provider.text(), provider.members(), &edits)
}

/// The counts and what they cost. The two sub-costs have other names here than in the chat dialect.
pub(super) fn write_usage(report: &UsageReport) -> String {
    let usage = &report.usage;
    let written = usage.cache_write_5m.saturating_add(usage.cache_write_1h);
    let written =
        if written > 0 { format!(",\"cache_write_tokens\":{written}") } else { String::new() };
    let upstream = report.upstream_cost.map_or_else(|| "null".to_owned(), |cost| cost.to_string());
    let searches = if usage.searches > 0 {
        format!(",\"server_tool_use_details\":{{\"web_search_requests\":{}}}", usage.searches)
    } else {
        String::new()
    };
    format!(
        "{{\"input_tokens\":{},\"input_tokens_details\":{{\"cached_tokens\":{}{written}}},\
         \"output_tokens\":{},\"output_tokens_details\":{{\"reasoning_tokens\":{}}},\
         \"total_tokens\":{},\"cost\":{},\"is_byok\":{},\
         \"cost_details\":{{\"upstream_inference_cost\":{upstream},\
         \"upstream_inference_input_cost\":{},\"upstream_inference_output_cost\":{}}}{searches}}}",
        usage.prompt(),
        usage.cache_read,
        usage.output,
        usage.reasoning,
        usage.total(),
        report.cost,
        report.is_byok,
        report.prompt_cost,
        report.completion_cost,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use signalbox_core::Usage;

    use super::*;

    #[test]
    fn counts_and_costs_have_this_dialects_names() {
        let usage = Usage {
            input_uncached: 10,
            cache_read: 5,
            cache_write_5m: 2,
            output: 7,
            reasoning: 3,
            searches: 1,
            ..Usage::default()
        };
        let text = write_usage(&crate::laws::report(usage));
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({"input_tokens":17,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},
                "output_tokens":7,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":24,
                "cost":0.00001,"is_byok":false,"cost_details":{"upstream_inference_cost":null,
                "upstream_inference_input_cost":0.000004,"upstream_inference_output_cost":0.000006},
                "server_tool_use_details":{"web_search_requests":1}})
        );
    }
}
