//! The hard rules: each may rule an endpoint out, with the reason. One file each, one line here.
//!
//! The table's order decides which rule an endpoint's verdict names when several apply.

use signalbox_catalog::{Endpoint, Snapshot};

use crate::requirements::{Requirements, Wanted};

mod data_policy;
mod detail;
mod modality;
mod parameters;
mod price;
mod providers;
mod quantization;
mod routable;
mod size;
mod tier;

pub use detail::Detail;
pub use parameters::supported;

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// The catalogue.
    pub catalog: &'a Snapshot,
    /// The request.
    pub request: &'a Requirements,
    /// The model whose endpoints are judged.
    pub wanted: &'a Wanted,
}

/// Why an endpoint is out. Making one costs no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// The word in `availability.excluded_by`.
    pub excluded_by: &'static str,
    /// The request field to blame, if it is one.
    pub field: Option<&'static str>,
    /// What was asked and what there is; [`Detail::text`] writes it for a person.
    pub detail: Detail,
}

impl Reason {
    const fn new(excluded_by: &'static str, field: &'static str, detail: Detail) -> Self {
        Self { excluded_by, field: Some(field), detail }
    }
}

/// A rule: its name, and its judgement of one endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The rule's name in a plan.
    pub name: &'static str,
    /// `Some` rules the endpoint out.
    pub judge: fn(&Ctx<'_>, &Endpoint) -> Option<Reason>,
}

/// The name of the rule that asks whether an endpoint can be called at all.
pub const ROUTABLE: &str = "routable";

/// Every hard rule, in the order in which they are asked. Most endpoints have no credential, so
/// that rule comes first; among the rest, an endpoint that a later rule ruled out got further.
pub const RULES: &[Rule] = &[
    Rule { name: ROUTABLE, judge: routable::judge },
    Rule { name: "tier", judge: tier::judge },
    Rule { name: "ignore", judge: providers::ignored },
    Rule { name: "only", judge: providers::not_in_only },
    Rule { name: "order", judge: providers::not_in_order },
    Rule { name: "zdr", judge: data_policy::retains },
    Rule { name: "data_collection", judge: data_policy::collects },
    Rule { name: "distillable", judge: data_policy::not_distillable },
    Rule { name: "max_price", judge: price::too_dear },
    Rule { name: "quantization", judge: quantization::judge },
    Rule { name: "context", judge: size::too_long },
    Rule { name: "max_output", judge: size::too_much_output },
    Rule { name: "modality", judge: modality::judge },
    Rule { name: "parameters", judge: parameters::judge },
];

/// The first rule that rules the endpoint out.
#[must_use]
pub fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<(&'static str, Reason)> {
    RULES.iter().find_map(|rule| (rule.judge)(ctx, endpoint).map(|reason| (rule.name, reason)))
}
