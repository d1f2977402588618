//! Whether the endpoint can be called at all: a credential, an address, a price.

use signalbox_catalog::{Blocked, Endpoint};

use super::{Ctx, Reason};

pub(super) fn judge(_: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let blocked = endpoint.blocked?;
    let provider = &endpoint.provider;
    let detail = match blocked {
        Blocked::Credential => format!("no credential for {provider} is configured"),
        Blocked::BaseUrl => format!("no base URL for {provider} is configured"),
        Blocked::Dialect => format!("the dialect of {provider} is not spoken yet"),
        Blocked::Price => "it has no complete price".to_owned(),
        other => format!("the endpoint is {}", other.name()),
    };
    Some(Reason { excluded_by: blocked.name(), field: None, detail })
}
