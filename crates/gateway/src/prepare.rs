//! Stage 7's first half: the body that one candidate gets.

use sha2::{Digest, Sha256};
use signalbox_core::{ApiError, Parameter, ParameterSet, PriceKind};
use signalbox_dialect::document::{Document, Edits, Pieces};
use signalbox_dialect::loss::{Loss, Lost};
use signalbox_dialect::openai_chat::survey::{PromptStyle, Survey};
use signalbox_dialect::openai_completions::template::PromptTemplate;
use signalbox_dialect::outbound::write_request;
use signalbox_dialect::{
    AnswerStyle, Ask, Asking, CacheStyle, Effort, Efforts, Outbound, ReasoningStyle, WireDialect,
    WrittenRequest, anthropic_messages, openai_chat, openai_completions, openai_responses,
};
use signalbox_policy::rule::supported;
use signalbox_policy::{Candidate, Failure};
use signalbox_upstream::{HeaderMap, HeaderName, HeaderValue};

use crate::generation::Given;
use crate::inbound::RequestHead;
use crate::reserve::Bound;
use crate::resolve::Resolved;
use crate::world::{Manner, Road, World, usual_reasoning};

/// Names beta features of a Messages endpoint.
const BETA_HEADER: HeaderName = HeaderName::from_static("anthropic-beta");
/// The beta feature that a schema for the answer needs (inference spec 1.4, rule 7).
const STRUCTURED_OUTPUTS: &str = "structured-outputs-2025-11-13";

/// The tokenizer family of OpenAI's models in the catalogue; only they read a message's `name`.
const OPENAI_TOKENIZER: &str = "GPT";

/// The request, as far as bodies are made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub resolved: &'a Resolved,
    pub head: &'a RequestHead,
    pub world: &'a World,
    /// Who asks; it is only told as a part of a hash.
    pub account: &'a str,
}

impl Given {
    pub(crate) fn said(&self) -> Said<'_> {
        Said {
            resolved: &self.resolved,
            head: &self.head,
            world: &self.world,
            account: self.principal.key.account.as_str(),
        }
    }
}

/// What is sent to a candidate.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub body: Pieces,
    /// Headers beside the transport's own.
    pub headers: HeaderMap,
    /// What of the request is not in the body.
    pub losses: Vec<Loss>,
}

/// What a candidate is sent.
///
/// # Errors
/// The request can't be said in the provider's language at all, or not wholly while the client
/// requires that it is.
pub(crate) fn body(
    said: Said<'_>,
    candidate: &Candidate,
    bound: &Bound,
    road: &Road,
) -> Result<Prepared, Failure> {
    let (resolved, endpoint) = (said.resolved, &candidate.endpoint);
    let survey = resolved.survey_for(candidate.model_index);
    let supported = supported(endpoint);
    let user = user(said, endpoint.data_policy.requires_user_ids);
    let manner = said.world.manner(endpoint);
    let row = manner.map(|manner| &manner.reasoning);
    let asked = row.map_or(usual_reasoning(road.dialect), |row| row.style);
    let betas = betas(said, road, manner);
    let tier_header = manner.and_then(|manner| manner.tier_header.as_ref());
    let outbound = Outbound {
        provider_model_id: road.target.model(&endpoint.provider_model_id),
        stream: survey.stream,
        unsupported: unsupported(survey.parameters, endpoint.supported_parameters, supported),
        max_output: bound.clamped.then_some(bound.estimate.max_output),
        endpoint_max_output: endpoint.max_output,
        user: user.as_deref(),
        service_tier: endpoint.tier.as_deref().filter(|_| tier_header.is_none()),
        patches: manner.map_or(&road.patches, |manner| &manner.patches),
        reasoning: if supported.contains(Parameter::Reasoning) {
            asked
        } else {
            ReasoningStyle::None
        },
        asking: asking(candidate, row),
        caches_prompts: caches_prompts(candidate),
        traits: manner.map(|manner| manner.traits).unwrap_or_default(),
        template: template(said, candidate, road),
        betas: &betas,
        forward_name: is_openais(candidate),
        cache: cache_style(candidate),
    };
    let told = !supported.contains(Parameter::Tools);
    let written = written(said, survey, road.dialect, &outbound, told);
    let written = written.map_err(|error| Failure::unfit(error.message))?;
    let insists = resolved.requirements.provider.require_parameters;
    match written.losses.iter().find(|loss| insists && matters(loss)) {
        Some(loss) => Err(Failure::unfit(format!("{} can't carry {}", road.dialect.name(), loss))),
        None => {
            let mut prepared = enveloped(written, &betas, road);
            if let (Some(name), Some(tier)) = (tier_header, endpoint.tier.as_deref())
                && let Ok(value) = HeaderValue::from_str(tier)
            {
                prepared.headers.insert(name.clone(), value);
            }
            Ok(prepared)
        }
    }
}

/// What there is to know when a candidate is asked for reasoning.
fn asking<'a>(candidate: &Candidate, row: Option<&'a Ask>) -> Asking<'a> {
    let facts = candidate.model.reasoning.as_ref();
    let efforts = facts.and_then(|facts| facts.supported_efforts.as_deref());
    let own = row.and_then(|row| row.efforts);
    let can_stop = own.is_some_and(|efforts| efforts.contains(Effort::None));
    Asking {
        row,
        efforts: efforts.and_then(Efforts::from_names),
        mandatory: facts.is_some_and(|facts| facts.mandatory)
            || candidate.endpoint.features.mandatory_reasoning && !can_stop,
        default_enabled: facts.and_then(|facts| facts.default_enabled),
    }
}

/// Whether an endpoint caches prompts: what it caches has a price.
fn caches_prompts(candidate: &Candidate) -> bool {
    let kinds = [PriceKind::InputCacheRead, PriceKind::InputCacheWrite];
    let endpoint = &candidate.endpoint;
    endpoint.features.implicit_caching
        || kinds.into_iter().any(|kind| endpoint.prices.rates.get(kind).is_some())
}

fn is_openais(candidate: &Candidate) -> bool {
    candidate.model.tokenizer == OPENAI_TOKENIZER
}

/// How cached prefixes are marked (inference spec 14.1). A price for writing to a cache is the sign
/// that marks are known: OpenAI's models have one since they know breakpoints.
fn cache_style(candidate: &Candidate) -> CacheStyle {
    let prices = &candidate.endpoint.prices.rates;
    match (is_openais(candidate), prices.get(PriceKind::InputCacheWrite).is_some()) {
        (true, true) => CacheStyle::Breakpoints,
        (true, false) => CacheStyle::Automatic,
        (false, true) => CacheStyle::Control,
        (false, false) => CacheStyle::AsSent,
    }
}

/// How a conversation becomes a prompt; what is one already stays as it is.
fn template(said: Said<'_>, candidate: &Candidate, road: &Road) -> PromptTemplate {
    match said.resolved.survey.prompt_style {
        _ if road.dialect != WireDialect::OpenaiCompletions => PromptTemplate::default(),
        PromptStyle::Prompt => PromptTemplate::Verbatim,
        PromptStyle::Messages => {
            PromptTemplate::for_instruct_type(candidate.model.instruct_type.as_deref())
        }
    }
}

/// The beta features that go to an endpoint: only Messages has them.
fn betas<'a>(said: Said<'a>, road: &Road, manner: Option<&'a Manner>) -> Vec<&'a str> {
    if road.dialect != WireDialect::AnthropicMessages {
        return Vec::new();
    }
    let known = manner.and_then(|manner| manner.betas.as_deref());
    let passes = |beta: &&str| known.is_none_or(|known| known.iter().any(|one| one == beta));
    let mut betas: Vec<&str> = said.head.betas.iter().map(String::as_str).filter(passes).collect();
    let formatted = said.resolved.survey.needs.json_schema;
    if formatted && passes(&STRUCTURED_OUTPUTS) && !betas.contains(&STRUCTURED_OUTPUTS) {
        betas.push(STRUCTURED_OUTPUTS);
    }
    for beta in manner.iter().flat_map(|manner| &manner.add_betas) {
        if !betas.contains(&beta.as_str()) {
            betas.push(beta);
        }
    }
    betas
}

/// Names the beta features where the transport has a place for them.
fn enveloped(mut prepared: Prepared, betas: &[&str], road: &Road) -> Prepared {
    if betas.is_empty() {
        return prepared;
    }
    if road.is_invoke {
        if let Ok(document) = Document::parse(prepared.body.clone().whole()) {
            let mut edits = Edits::default();
            edits.set("anthropic_beta", serde_json::json!(betas).to_string());
            prepared.body = document.patched(&edits);
        }
    } else if let Ok(value) = HeaderValue::from_str(&betas.join(",")) {
        prepared.headers.insert(BETA_HEADER, value);
    }
    prepared
}

/// Whether a loss is one of what `require_parameters` insists on. Marks for caches and other
/// vendors' reasoning are no parameters, members outside the public vocabulary are nobody's promise
/// (inference spec, appendix E), and shades of a part leave the part.
fn matters(loss: &Loss) -> bool {
    match loss.what {
        Lost::Parameter => Parameter::from_name(&loss.detail).is_some(),
        Lost::Content | Lost::Tool => true,
        Lost::Property | Lost::Reasoning | Lost::CacheMark | Lost::Answer => false,
    }
}

/// A request in the provider's own language is patched; any other goes through the hub, and so does
/// one with tools for a model that knows none.
fn written(
    said: Said<'_>,
    survey: &Survey,
    provider: WireDialect,
    outbound: &Outbound<'_>,
    tools_are_told: bool,
) -> Result<Prepared, ApiError> {
    let document = &said.resolved.document;
    let style = said.resolved.skin.style;
    let told = tools_are_told && (survey.needs.tools || survey.needs.tool_history);
    let patched = match (provider, style) {
        _ if told => None,
        (WireDialect::OpenaiChat, AnswerStyle::Chat) => {
            Some(openai_chat::write_relay::write_relay(document, survey, outbound)?)
        }
        (WireDialect::OpenaiChat, AnswerStyle::Completions) => {
            Some(openai_completions::write_relay::write_relay(document, survey, outbound)?)
        }
        (WireDialect::AnthropicMessages, AnswerStyle::Messages) => {
            Some(anthropic_messages::write_relay::write_relay(document, survey, outbound)?)
        }
        (WireDialect::OpenaiResponses, AnswerStyle::Responses) => {
            Some(openai_responses::write_relay::write_relay(document, survey, outbound)?)
        }
        _ => None,
    };
    if let Some(body) = patched {
        let losses = match style {
            AnswerStyle::Responses => openai_responses::hosted::lost(document),
            _ => Vec::new(),
        };
        return Ok(Prepared { body, headers: HeaderMap::new(), losses });
    }
    let mut conversation = match style {
        AnswerStyle::Chat | AnswerStyle::Completions => {
            openai_chat::read_request::read_request(document, survey)?
        }
        AnswerStyle::Messages => anthropic_messages::read_request::read_request(document, survey)?,
        AnswerStyle::Responses => openai_responses::read_request::read_request(document, survey),
    };
    // Legacy prompts tell of tools by themselves.
    if told && provider != WireDialect::OpenaiCompletions {
        let mut lost = std::mem::take(&mut conversation.lost);
        conversation.tell_tools(&mut lost);
        conversation.lost = lost;
    }
    let WrittenRequest { body, losses } = write_request(provider, &conversation, outbound)?;
    Ok(Prepared { body: body.into(), headers: HeaderMap::new(), losses })
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
pub(crate) fn user(said: Said<'_>, required: bool) -> Option<String> {
    let user = said.resolved.survey.user.as_deref();
    if user.is_none() && !required {
        return None;
    }
    let account = said.account;
    let digest = Sha256::digest(format!("{account}\n{}", user.unwrap_or_default()));
    let mut name = signalbox_core::id::hex(&digest);
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
