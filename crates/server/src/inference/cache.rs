//! The headers of the response cache (inference spec 0.2, 14.3).

use http::{HeaderMap, HeaderName, HeaderValue};
use signalbox_gateway::{CacheHeaders, CacheStatus};

const STATUS: HeaderName = HeaderName::from_static("x-openrouter-cache-status");
const AGE: HeaderName = HeaderName::from_static("x-openrouter-cache-age");
const TTL: HeaderName = HeaderName::from_static("x-openrouter-cache-ttl");
const SOURCE: HeaderName = HeaderName::from_static("x-openrouter-cache-source-id");

/// What a request asks of the cache.
pub(super) fn asked(headers: &HeaderMap) -> CacheHeaders {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    CacheHeaders::read(
        text("x-openrouter-cache"),
        text("x-openrouter-cache-ttl"),
        text("x-openrouter-cache-clear"),
    )
}

/// Says how the cache took part.
pub(super) fn tell(status: &CacheStatus, headers: &mut HeaderMap) {
    match status {
        CacheStatus::Hit { age, left, source } => {
            headers.insert(STATUS, HeaderValue::from_static("HIT"));
            headers.insert(AGE, HeaderValue::from(*age));
            headers.insert(TTL, HeaderValue::from(*left));
            if let Ok(source) = HeaderValue::from_str(source.as_str()) {
                headers.insert(SOURCE, source);
            }
        }
        CacheStatus::Miss { ttl } => {
            headers.insert(STATUS, HeaderValue::from_static("MISS"));
            headers.insert(TTL, HeaderValue::from(*ttl));
        }
    }
}
