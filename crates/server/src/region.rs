//! The region that a request is to be kept in: that of the host it was sent to (platform spec 9.5).

use http::{HeaderMap, Uri, header};
use signalbox_catalog::listing::Region;

use crate::app::App;

/// The region of a request's host. Where a request names several, that of any: what was promised for one
/// name is kept.
pub(crate) fn of(app: &App, uri: &Uri, headers: &HeaderMap) -> Option<Region> {
    let regions = &app.gateway().regions;
    let named = headers.get_all(header::HOST).iter().filter_map(|host| host.to_str().ok());
    uri.host().into_iter().chain(named).find_map(|host| regions.of(host))
}
