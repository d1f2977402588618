//! What providers may do with prompts. An unknown policy counts as retaining and training.

use signalbox_catalog::{Endpoint, Modality};

use super::{Ctx, Detail, Reason};

/// Zero data retention, for the request or by the account: either is enough (inference spec 18.3).
/// Video is never eligible.
pub(super) fn retains(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let asked = ctx.request.provider.zdr;
    if !asked && !ctx.account_zdr {
        return None;
    }
    let video = ctx.wanted.model.writes(Modality::Video);
    if endpoint.data_policy.zdr && !video {
        return None;
    }
    let detail = Detail::Retains { asked, video };
    let field = asked.then_some("provider.zdr");
    Some(Reason { excluded_by: "data_policy:zdr", field, detail })
}

pub(super) fn collects(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let policy = &endpoint.data_policy;
    if !ctx.request.provider.deny_data_collection || !(policy.training || policy.retains_prompts) {
        return None;
    }
    let what = if policy.training { "prompts may be trained on" } else { "prompts are retained" };
    Some(Reason::new("data_policy:training", "provider.data_collection", Detail::Words(what)))
}

/// No model in the catalogue has an author's permission on record, so the rule leaves none.
pub(super) fn not_distillable(ctx: &Ctx<'_>, _: &Endpoint) -> Option<Reason> {
    if !ctx.request.provider.enforce_distillable_text {
        return None;
    }
    let detail = Detail::Words("no permission of the model's author to distil is on record");
    Some(Reason::new("distillable", "provider.enforce_distillable_text", detail))
}
