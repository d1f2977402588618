//! Service-tier endpoints are out unless the caller opts in: by name, by `service_tier`, or by a
//! variant that admits the tier (inference spec 5.2, 18.1).

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};
use crate::requirements::{Tier, TierWish};

pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let tier = endpoint.tier.as_deref()?;
    let is = |wanted: Tier| wanted.name() == tier;
    let wished = matches!(ctx.request.tier, TierWish::Tier(wanted) if is(wanted));
    // An order by name, or a wish for the default tier, takes back what a variant admits.
    let admitted = ctx.wanted.admits.is_some_and(is)
        && ctx.request.provider.order.is_empty()
        && ctx.request.tier != TierWish::Default;
    if wished || admitted || ctx.lists.ask_for(endpoint) {
        return None;
    }
    Some(Reason::new("service_tier", "service_tier", Detail::Tier))
}

/// With flex there is no fallback to another tier, but for what the caller names.
pub(crate) fn only_flex(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let named = endpoint.tier.is_some() && ctx.lists.ask_for(endpoint);
    if is_flex(endpoint) || named {
        return None;
    }
    Some(Reason::new("service_tier", "service_tier", Detail::OnlyFlex))
}

pub(crate) fn is_flex(endpoint: &Endpoint) -> bool {
    endpoint.tier.as_deref() == Some(Tier::Flex.name())
}
