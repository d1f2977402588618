//! What account, workspace and guardrails permit (inference spec 5.9, 18.3).

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

pub(super) fn models(ctx: &Ctx<'_>, _: &Endpoint) -> Option<Reason> {
    (!ctx.permitted).then(|| Reason::unasked("allowed_models", Detail::AccountModel))
}

pub(super) fn providers(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    if ctx.lists.ignored.names(endpoint) {
        return Some(Reason::unasked("allowed_providers", Detail::AccountIgnores));
    }
    if ctx.lists.allowed.iter().all(|list| list.names(endpoint)) {
        return None;
    }
    Some(Reason::unasked("allowed_providers", Detail::AccountAllows))
}

/// Where an endpoint runs must be known to be inside the region.
pub(super) fn region(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let wanted = ctx.request.account.region.as_deref()?;
    let known = ctx.catalog.region(endpoint);
    if known.is_some_and(|one| one.name().eq_ignore_ascii_case(wanted)) {
        return None;
    }
    Some(Reason::unasked("data_region", Detail::Region { known }))
}

pub(super) fn training(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let account = &ctx.request.account;
    let free = is_free(endpoint);
    let denied = if free { account.deny_free_training } else { account.deny_paid_training };
    if !denied || !endpoint.data_policy.training {
        return None;
    }
    Some(Reason::unasked("data_policy:training", Detail::AccountTraining { free }))
}

pub(super) fn publication(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let denied = ctx.request.account.deny_free_publication;
    if !denied || !endpoint.data_policy.can_publish || !is_free(endpoint) {
        return None;
    }
    Some(Reason::unasked("data_policy:publication", Detail::AccountPublication))
}

fn is_free(endpoint: &Endpoint) -> bool {
    endpoint.free || endpoint.prices.is_free()
}
