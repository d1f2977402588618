//! Whether the endpoint can be called at all: a credential, an address, a price.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

/// What only lacks the operator's credential, or address, can be called with a key that brings it.
pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let blocked = endpoint.blocked?;
    if ctx.request.account.keys_for(endpoint, &ctx.wanted.model).next().is_some() {
        return None;
    }
    Some(Reason::unasked(blocked.name(), Detail::Blocked(blocked)))
}
