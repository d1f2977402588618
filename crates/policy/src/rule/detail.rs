//! What a verdict says to a person, written only when somebody reads it: a plan judges dozens of
//! endpoints and most of its verdicts are never shown.

use signalbox_catalog::listing::Region;
use signalbox_catalog::{Blocked, Endpoint};
use signalbox_core::{Parameter, ParameterSet, PriceKind, Rate};

use crate::place::Proof;
use crate::requirements::Requirements;

/// Most names that one text lists; the caller knows its own list.
const MOST_NAMES: usize = 20;

/// The facts of one verdict. The rest of its text is in the request and the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The same words for every endpoint.
    Words(&'static str),
    /// Why the endpoint can't be called.
    Blocked(Blocked),
    /// `provider.ignore` names its provider.
    Ignored,
    /// `provider.only` does not name it.
    NotInOnly,
    /// `provider.order`, without fallbacks, does not name it.
    NotInOrder,
    /// Its quantization is not among those allowed.
    Quantization,
    /// Nobody asked for its service tier.
    Tier,
    /// The flex tier was asked for, and it is of another.
    OnlyFlex,
    /// The account does not permit its model.
    AccountModel,
    /// The account's list of allowed providers does not name it.
    AccountAllows,
    /// The account ignores its provider.
    AccountIgnores,
    /// It does not run in the account's region, as far as that is known.
    Region {
        /// Where it runs.
        known: Option<Region>,
    },
    /// It may train on prompts, which the account forbids.
    AccountTraining {
        /// For free endpoints or for paid ones.
        free: bool,
    },
    /// It may publish prompts, which the account forbids.
    AccountPublication,
    /// It does not promise zero data retention.
    Retains {
        /// Whether the request asks for it; else the account does.
        asked: bool,
        /// Whether that is because it makes videos.
        video: bool,
    },
    /// The caller's own key is always used for its provider.
    OwnKeyOnly,
    /// Without fallbacks only the first is tried.
    NotFirst,
    /// Without fallbacks only proven endpoints are tried, and it is none.
    NotProven(Proof),
    /// So many come before it that its turn never comes.
    Beyond {
        /// Endpoints of one model that are tried at most.
        most: usize,
    },
    /// A price above its ceiling.
    TooDear {
        /// What the price is for.
        kind: PriceKind,
        /// The dearest price that the request can meet.
        price: Rate,
        /// The caller's ceiling.
        ceiling: Rate,
    },
    /// More prompt tokens than it takes.
    TooLong {
        /// Tokens that the prompt has at least.
        least: u64,
        /// Tokens that it takes at most.
        room: u64,
    },
    /// More output tokens than it gives.
    TooMuchOutput {
        /// The caller's `max_tokens`.
        wanted: u64,
        /// Tokens that it gives at most.
        most: u64,
    },
    /// An input of the prompt that the model does not take.
    Input(&'static str),
    /// An output that the model does not give.
    Output(&'static str),
    /// Parameters that it does not support.
    Lacks(ParameterSet),
    /// A parameter that other endpoints of the model support.
    OthersSupport(Parameter),
    /// Its provider asked for patience.
    Cooling {
        /// Seconds until it may be asked again, at least one.
        seconds: u64,
    },
}

impl Detail {
    /// What was asked and what there is.
    #[must_use]
    pub fn text(&self, request: &Requirements, endpoint: &Endpoint) -> String {
        let wishes = &request.provider;
        let provider = &endpoint.provider;
        match self {
            Self::Words(words) => (*words).to_owned(),
            Self::Blocked(blocked) => blocked_text(*blocked, provider),
            Self::Ignored => format!("provider.ignore names {provider}"),
            Self::NotInOnly => {
                let only = wishes.only.as_deref().unwrap_or_default();
                format!("provider.only permits only: {}", listed(only))
            }
            Self::NotInOrder => {
                format!("provider.order without fallbacks lists: {}", listed(&wishes.order))
            }
            Self::Quantization => format!(
                "its quantization is {}, allowed are: {}",
                endpoint.quantization.name(),
                listed(&wishes.quantizations)
            ),
            Self::Tier => {
                let tier = endpoint.tier.as_deref().unwrap_or_default();
                format!("the {tier} tier was not asked for")
            }
            Self::OnlyFlex => {
                "the flex tier was asked for, which has no fallback to another tier".to_owned()
            }
            Self::AccountModel
            | Self::AccountAllows
            | Self::AccountIgnores
            | Self::Region { .. }
            | Self::AccountTraining { .. }
            | Self::AccountPublication
            | Self::Retains { .. } => self.policy_text(request, endpoint),
            Self::OwnKeyOnly => {
                format!("the caller's own key is always used for {provider}, never shared capacity")
            }
            Self::NotFirst => {
                "provider.allow_fallbacks is false and another endpoint stands first".to_owned()
            }
            Self::NotProven(proof) => format!(
                "provider.allow_fallbacks is false and only proven endpoints count: {}",
                proof.text()
            ),
            Self::Beyond { most } => {
                format!("{most} others come before it, and no more are tried for one model")
            }
            Self::TooDear { kind, price, ceiling } => {
                format!("{} costs up to {price} per unit, above {ceiling}", kind.name())
            }
            Self::TooLong { least, room } => {
                format!("the prompt has at least {least} tokens, its limit is {room}")
            }
            Self::TooMuchOutput { wanted, most } => {
                format!("max_tokens is {wanted}, its limit is {most}")
            }
            Self::Input(name) => format!("{} takes no {name} input", endpoint.model),
            Self::Output(name) => format!("{} gives no {name}", endpoint.model),
            Self::Lacks(missing) => {
                let names: Vec<_> = missing.iter().map(Parameter::name).collect();
                format!("it does not support: {}", names.join(", "))
            }
            Self::OthersSupport(parameter) => format!("others support {}", parameter.name()),
            Self::Cooling { seconds } => {
                format!("{provider} asked not to be called for {seconds} s")
            }
        }
    }
}

impl Detail {
    /// What the account, or the request's wish for privacy, has against it.
    fn policy_text(&self, request: &Requirements, endpoint: &Endpoint) -> String {
        let (account, provider) = (&request.account, &endpoint.provider);
        match self {
            Self::AccountModel => format!("the account does not permit {}", endpoint.model),
            Self::AccountAllows => {
                let mut lists = account.allowed_providers.iter();
                let without = lists.find(|list| !list.iter().any(|name| endpoint.matches(name)));
                let allowed = without.map(Vec::as_slice).unwrap_or_default();
                format!("the account permits only: {}", listed(allowed))
            }
            Self::AccountIgnores => format!("the account ignores {provider}"),
            Self::Region { known } => {
                let wanted = account.region.as_deref().unwrap_or_default();
                match known {
                    Some(other) => {
                        format!("the account stays in {wanted}, and it runs in {}", other.name())
                    }
                    None => {
                        format!("the account stays in {wanted}, and where it runs is not known")
                    }
                }
            }
            Self::AccountTraining { free } => {
                let kind = if *free { "free" } else { "paid" };
                format!("prompts may be trained on, which the account forbids for {kind} models")
            }
            Self::AccountPublication => {
                "prompts may be published, which the account forbids".to_owned()
            }
            Self::Retains { video: true, .. } => {
                "videos are never made with zero data retention".to_owned()
            }
            Self::Retains { asked: true, .. } => "prompts are retained or trained on".to_owned(),
            _ => {
                let author = endpoint.model.split('/').next().unwrap_or_default();
                format!(
                    "prompts are retained or trained on, which the account forbids for models of \
                     {author}"
                )
            }
        }
    }
}

fn blocked_text(blocked: Blocked, provider: &str) -> String {
    match blocked {
        Blocked::Credential => format!("no credential for {provider} is configured"),
        Blocked::BaseUrl => format!("no base URL for {provider} is configured"),
        Blocked::Dialect => format!("the dialect of {provider} is not spoken yet"),
        Blocked::Price => "it has no complete price".to_owned(),
        other => format!("the endpoint is {}", other.name()),
    }
}

/// The names with commas; a long list is cut.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "nobody".to_owned();
    }
    match names.get(..MOST_NAMES) {
        Some(first) if names.len() > MOST_NAMES => {
            format!("{} and {} more", first.join(", "), names.len().saturating_sub(MOST_NAMES))
        }
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_is_cut() {
        let names: Vec<String> = (0..200).map(|at| format!("p{at}")).collect();
        let text = listed(&names);
        assert!(text.starts_with("p0, p1, ") && text.ends_with("p19 and 180 more"), "{text}");
        assert_eq!(listed(&names[..2]), "p0, p1");
    }
}
