//! `provider.require_parameters`: every parameter that was sent must be supported.

use signalbox_catalog::Endpoint;
use signalbox_core::{Parameter, ParameterSet};

use super::{Ctx, Detail, Reason};

/// What an endpoint supports, with the spellings that mean the same.
#[must_use]
pub fn supported(endpoint: &Endpoint) -> ParameterSet {
    let mut supported = endpoint.supported_parameters;
    let same = [
        [Parameter::MaxTokens, Parameter::MaxCompletionTokens],
        [Parameter::Reasoning, Parameter::IncludeReasoning],
        [Parameter::Reasoning, Parameter::ReasoningEffort],
    ];
    for [one, other] in same {
        if endpoint.supported_parameters.contains(one) {
            supported.insert(other);
        }
        if endpoint.supported_parameters.contains(other) {
            supported.insert(one);
        }
    }
    supported
}

pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    if !ctx.request.provider.require_parameters {
        return None;
    }
    let missing = ctx.request.content.parameters.without(supported(endpoint));
    if missing.is_empty() {
        return None;
    }
    let detail = Detail::Lacks(missing);
    Some(Reason::new("require_parameters", "provider.require_parameters", detail))
}
