//! Whether the endpoint can be called at all: a credential, an address, a price.

use signalbox_catalog::{Blocked, Endpoint};

use super::{Ctx, Detail, Reason};

/// What only lacks the operator's credential can be called with the caller's own.
pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let blocked = endpoint.blocked?;
    let keyless = matches!(blocked, Blocked::Credential | Blocked::ByokOnly);
    if keyless && ctx.request.account.keys_for(endpoint, &ctx.wanted.model).next().is_some() {
        return None;
    }
    Some(Reason::unasked(blocked.name(), Detail::Blocked(blocked)))
}
