//! A file of the web app, as an answer.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// A file that was embedded at build time, with its compressed forms where they are smaller.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its address, from the first slash.
    pub path: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// Its weak entity tag, quotes and all: one for all of its forms.
    pub tag: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same in Brotli.
    pub brotli: Option<&'static [u8]>,
    /// The same in gzip.
    pub gzip: Option<&'static [u8]>,
}

/// All of them, by address.
static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The file with this address.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    let at = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(at)
}

/// The items of a header that is a list.
fn items<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether the sender takes this coding.
fn takes(headers: &HeaderMap, coding: &str) -> bool {
    items(headers, &header::ACCEPT_ENCODING).any(|item| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map(|q| q.trim().parse::<f32>());
        let refused = matches!(weight, Some(Ok(weight)) if weight <= 0.0);
        name.trim().eq_ignore_ascii_case(coding) && !refused
    })
}

impl Asset {
    /// Whether its address changes with its content.
    fn is_hashed(&self) -> bool {
        self.path.starts_with("/assets/")
    }

    /// Whether the sender has it already.
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        let ours = bare(self.tag);
        items(headers, &header::IF_NONE_MATCH).any(|tag| tag == "*" || bare(tag) == ours)
    }

    fn form(&self, headers: &HeaderMap) -> (&'static [u8], Option<&'static str>) {
        let packed = [(self.brotli, "br"), (self.gzip, "gzip")];
        let mut fit = packed.into_iter().filter_map(|(bytes, coding)| Some((bytes?, coding)));
        let chosen = fit.find(|(_, coding)| takes(headers, coding));
        chosen.map_or((self.plain, None), |(bytes, coding)| (bytes, Some(coding)))
    }

    /// The file in the smallest form that the sender takes; 304 for one that the sender has, as long as
    /// it is no other status that has to be told.
    pub(super) fn answer(&self, headers: &HeaderMap, status: StatusCode) -> Response {
        let known = status == StatusCode::OK && self.is_known(headers);
        let (bytes, coding) = self.form(headers);
        let body = if known { Bytes::new() } else { Bytes::from_static(bytes) };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = if known { StatusCode::NOT_MODIFIED } else { status };
        let caching =
            if self.is_hashed() { "public, max-age=31536000, immutable" } else { "no-cache" };
        let set = response.headers_mut();
        set.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        set.insert(header::ETAG, HeaderValue::from_static(self.tag));
        set.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        set.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        if let Some(coding) = coding.filter(|_| !known) {
            set.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCRIPT: Asset = Asset {
        path: "/assets/app-1234.js",
        kind: "text/javascript; charset=utf-8",
        tag: "W/\"00ff\"",
        plain: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };
    static PAGE: Asset = Asset { path: "/index.html", brotli: None, ..SCRIPT };

    fn asked(name: &'static str, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn the_smallest_form_that_the_sender_takes_is_sent() {
        for (asset, accepted, coding) in [
            (&SCRIPT, "gzip, deflate, br, zstd", Some("br")),
            (&SCRIPT, "GZIP;q=0.5", Some("gzip")),
            (&SCRIPT, "br;q=0, gzip", Some("gzip")),
            (&SCRIPT, "br; q=0.0", None),
            (&SCRIPT, "identity", None),
            (&SCRIPT, "", None),
            (&PAGE, "br, gzip", Some("gzip")),
            (&PAGE, "br", None),
        ] {
            let answer = asset.answer(&asked("accept-encoding", accepted), StatusCode::OK);
            let sent = answer.headers().get(header::CONTENT_ENCODING);
            assert_eq!(sent.map(|value| value.to_str().unwrap()), coding, "{accepted}");
            assert_eq!(answer.headers()[header::VARY], "accept-encoding");
        }
    }

    #[test]
    fn what_the_sender_has_is_not_sent_again() {
        for (shown, status) in [
            ("W/\"00ff\"", 304),
            ("\"00ff\"", 304),
            ("\"1\", W/\"00ff\"", 304),
            ("*", 304),
            ("W/\"00fe\"", 200),
        ] {
            let answer = PAGE.answer(&asked("if-none-match", shown), StatusCode::OK);
            assert_eq!(answer.status(), status, "{shown}");
        }
        let missing = PAGE.answer(&asked("if-none-match", "*"), StatusCode::NOT_FOUND);
        assert_eq!(missing.status(), 404);
    }

    #[test]
    fn only_what_is_named_after_its_content_is_kept_for_ever() {
        let kept = |asset: &Asset| {
            let answer = asset.answer(&HeaderMap::new(), StatusCode::OK);
            answer.headers()[header::CACHE_CONTROL].to_str().unwrap().to_owned()
        };
        assert_eq!(kept(&SCRIPT), "public, max-age=31536000, immutable");
        assert_eq!(kept(&PAGE), "no-cache");
    }

    #[test]
    fn the_table_is_in_the_order_that_it_is_searched_in() {
        assert!(ASSETS.is_sorted_by_key(|asset| asset.path));
        for asset in ASSETS {
            assert_eq!(find(asset.path).map(|found| found.tag), Some(asset.tag));
        }
        assert!(find("/../Cargo.toml").is_none());
    }
}
