//! The hard rules: each may rule an endpoint out, with the reason. One file each, one line here.
//!
//! The table's order decides which rule an endpoint's verdict names when several apply.

use signalbox_catalog::{Endpoint, Snapshot};

use crate::account::AccountPolicy;
use crate::requirements::{Requirements, Wanted};
use crate::slug::Slugs;

mod account;
mod data_policy;
mod detail;
mod modality;
mod parameters;
mod price;
mod providers;
mod quantization;
mod routable;
mod size;
pub(crate) mod tier;

pub use detail::Detail;
pub use parameters::supported;

/// The lists of providers that a request and its account have, prepared for many endpoints.
#[derive(Debug)]
pub struct Lists<'a> {
    /// `provider.order`.
    pub order: Slugs<'a>,
    /// `provider.only`.
    pub only: Option<Slugs<'a>>,
    /// `provider.ignore`.
    pub ignore: Slugs<'a>,
    allowed: Vec<Slugs<'a>>,
    ignored: Slugs<'a>,
}

impl<'a> Lists<'a> {
    /// The lists of a request.
    #[must_use]
    pub fn new(request: &'a Requirements) -> Self {
        let (wishes, account): (_, &AccountPolicy) = (&request.provider, &request.account);
        Self {
            order: Slugs::new(&wishes.order),
            only: wishes.only.as_deref().map(Slugs::new),
            ignore: Slugs::new(&wishes.ignore),
            allowed: account.allowed_providers.iter().map(|list| Slugs::new(list)).collect(),
            ignored: Slugs::new(&account.ignored_providers),
        }
    }

    /// Whether the caller names the endpoint as one that may or shall be used.
    fn ask_for(&self, endpoint: &Endpoint) -> bool {
        self.order.names(endpoint) || self.only.as_ref().is_some_and(|only| only.names(endpoint))
    }
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Ctx<'a> {
    /// The catalogue.
    pub catalog: &'a Snapshot,
    /// The request.
    pub request: &'a Requirements,
    /// The model whose endpoints are judged.
    pub wanted: &'a Wanted,
    /// The request's lists.
    pub lists: &'a Lists<'a>,
    /// Whether the account wants zero data retention for the model.
    account_zdr: bool,
    /// Whether the account permits the model.
    permitted: bool,
}

impl<'a> Ctx<'a> {
    /// For the endpoints of one model.
    #[must_use]
    pub fn new(
        catalog: &'a Snapshot,
        request: &'a Requirements,
        wanted: &'a Wanted,
        lists: &'a Lists<'a>,
    ) -> Self {
        let account = &request.account;
        let account_zdr = account.zdr.covers(&wanted.model);
        let permitted = account.permits_model(&wanted.model);
        Self { catalog, request, wanted, lists, account_zdr, permitted }
    }
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
    pub(crate) const fn new(
        excluded_by: &'static str,
        field: &'static str,
        detail: Detail,
    ) -> Self {
        Self { excluded_by, field: Some(field), detail }
    }

    /// A reason that no field of the request is to blame for.
    pub(crate) const fn unasked(excluded_by: &'static str, detail: Detail) -> Self {
        Self { excluded_by, field: None, detail }
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
/// The name of the rule for service tiers.
pub const TIER: &str = "tier";

/// Every hard rule, in the order in which they are asked. Most endpoints have no credential, so
/// that rule comes first; among the rest, an endpoint that a later rule ruled out got further. What
/// the account permits comes before what the request wants.
pub const RULES: &[Rule] = &[
    Rule { name: ROUTABLE, judge: routable::judge },
    Rule { name: TIER, judge: tier::judge },
    Rule { name: "account_models", judge: account::models },
    Rule { name: "account_providers", judge: account::providers },
    Rule { name: "account_region", judge: account::region },
    Rule { name: "account_training", judge: account::training },
    Rule { name: "account_publication", judge: account::publication },
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
