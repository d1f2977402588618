//! What a verdict says to a person, written only when somebody reads it: a plan judges dozens of
//! endpoints and most of its verdicts are never shown.

use signalbox_catalog::{Blocked, Endpoint};
use signalbox_core::{Parameter, ParameterSet, PriceKind, Rate};

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
