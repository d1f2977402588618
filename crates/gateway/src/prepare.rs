//! Stage 7's first half: the body that one candidate gets.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use signalbox_core::{ApiError, Parameter, ParameterSet};
use signalbox_dialect::openai_chat::write_relay::{Outbound, ReasoningStyle};
use signalbox_dialect::{AnswerStyle, anthropic_messages, openai_chat, openai_completions};
use signalbox_policy::Candidate;
use signalbox_policy::rule::supported;

use crate::generation::Given;
use crate::reserve::Bound;
use crate::world::Road;

/// The tokenizer family of OpenAI's models in the catalogue; only they read a message's `name`.
const OPENAI_TOKENIZER: &str = "GPT";

pub(crate) fn body(
    given: &Given,
    candidate: &Candidate,
    bound: &Bound,
    road: &Road,
) -> Result<Bytes, ApiError> {
    let (resolved, endpoint) = (&given.resolved, &candidate.endpoint);
    let supported = supported(endpoint);
    let user = user(given, endpoint.data_policy.requires_user_ids);
    let outbound = Outbound {
        provider_model_id: &endpoint.provider_model_id,
        stream: resolved.survey.stream,
        unsupported: unsupported(
            resolved.survey.parameters,
            endpoint.supported_parameters,
            supported,
        ),
        max_output: bound.clamped.then_some(bound.estimate.max_output),
        user: user.as_deref(),
        service_tier: endpoint.tier.as_deref(),
        patches: &road.patches,
        reasoning: if supported.contains(Parameter::Reasoning) {
            ReasoningStyle::Effort
        } else {
            ReasoningStyle::None
        },
        forward_name: candidate.model.tokenizer == OPENAI_TOKENIZER,
    };
    let (document, survey) = (&resolved.document, &resolved.survey);
    match resolved.style {
        AnswerStyle::Chat => openai_chat::write_relay::write_relay(document, survey, &outbound),
        AnswerStyle::Completions => {
            openai_completions::write_relay::write_relay(document, survey, &outbound)
        }
        // Another language: through the hub. What the provider's can't carry is noted.
        AnswerStyle::Messages => {
            let conversation = anthropic_messages::read_request::read_request(document, survey)?;
            let written = openai_chat::write_request::write_request(&conversation, &outbound)?;
            for loss in &written.losses {
                tracing::info!(id = %given.id, endpoint = endpoint.id, ?loss, "not carried over");
            }
            Ok(written.body)
        }
    }
}

/// What the body must not have. Of the two spellings of the output limit the endpoint may take only
/// one, which `supported` does not tell; with neither listed, what was sent goes as it is.
fn unsupported(sent: ParameterSet, listed: ParameterSet, supported: ParameterSet) -> ParameterSet {
    let mut unsupported = sent.without(supported);
    let (old, new) = (Parameter::MaxTokens, Parameter::MaxCompletionTokens);
    for (one, other) in [(old, new), (new, old)] {
        if listed.contains(other) && !listed.contains(one) {
            unsupported.insert(one);
        } else {
            unsupported.remove(one);
        }
    }
    unsupported
}

/// A stable name for the end user that tells the provider nothing else (inference spec 1.4).
fn user(given: &Given, required: bool) -> Option<String> {
    let user = given.resolved.survey.user.as_deref();
    if user.is_none() && !required {
        return None;
    }
    let account = given.principal.key.account.as_str();
    let digest = Sha256::digest(format!("{account}\n{}", user.unwrap_or_default()));
    let mut name = hex::encode(digest);
    name.truncate(32);
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_with_one_spelling_of_the_limit_does_not_support_the_other() {
        let (old, new) = (Parameter::MaxTokens, Parameter::MaxCompletionTokens);
        let set = |parameters: &[Parameter]| parameters.iter().copied().collect::<ParameterSet>();
        let both = set(&[old, new]);
        let judged = |listed: &[Parameter]| {
            unsupported(set(&[old, Parameter::Seed]), set(listed), both).iter().collect::<Vec<_>>()
        };
        assert_eq!(judged(&[new, Parameter::Seed]), [old, Parameter::Seed]);
        assert_eq!(judged(&[old]), [new, Parameter::Seed]);
        assert_eq!(judged(&[old, new]), [Parameter::Seed]);
        assert_eq!(judged(&[]), [Parameter::Seed]);
    }
}
