//! Whether the endpoint can be called at all: a credential, an address, a price.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

pub(super) fn judge(_: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let blocked = endpoint.blocked?;
    Some(Reason { excluded_by: blocked.name(), field: None, detail: Detail::Blocked(blocked) })
}
