//! Who calls, as the call itself says (inference spec 20). Nothing follows from it: no right, no price,
//! no limit.

/// The categories that an app can say it is in (inference spec 20).
pub const CATEGORIES: [&str; 15] = [
    "cli-agent",
    "ide-extension",
    "cloud-agent",
    "programming-app",
    "native-app-builder",
    "creative-writing",
    "video-gen",
    "image-gen",
    "audio-gen",
    "writing-assistant",
    "general-chat",
    "personal-agent",
    "legal",
    "roleplay",
    "game",
];

/// Most categories of one request.
const MOST: usize = 2;
/// Longest URL of an app, in bytes.
const MAX_URL: usize = 512;

/// The first two known ones of a list with commas. Others are passed over.
#[must_use]
pub fn categories(header: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    for word in header.split(',').map(str::trim) {
        let known = CATEGORIES.into_iter().find(|one| *one == word);
        if let Some(known) = known.filter(|known| !found.contains(known))
            && found.len() < MOST
        {
            found.push(known);
        }
    }
    found
}

/// A URL cut where its parts begin.
struct Parts<'a> {
    scheme: &'static str,
    host: String,
    path: &'a str,
}

fn parts(url: &str) -> Option<Parts<'_>> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let (scheme, port) = match () {
        () if scheme.eq_ignore_ascii_case("https") => ("https", ":443"),
        () if scheme.eq_ignore_ascii_case("http") => ("http", ":80"),
        () => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at_checked(end)?;
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let host = host.strip_suffix(port).unwrap_or(&host).to_owned();
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let named = host.bytes().any(|byte| byte.is_ascii_alphanumeric());
    (named && host.bytes().all(lawful)).then_some(Parts { scheme, host, path })
}

/// The scheme and host of a URL, such as `https://app.example`.
#[must_use]
pub fn origin(url: &str) -> Option<String> {
    parts(url).map(|one| format!("{}://{}", one.scheme, one.host))
}

/// The URL that an app is known by: without what is different from page to page of it, and without
/// the credentials that a URL can have. `None` for what is no web address.
#[must_use]
pub fn app_url(referer: &str) -> Option<String> {
    let parts = parts(referer)?;
    let url = format!("{}://{}{}", parts.scheme, parts.host, parts.path.trim_end_matches('/'));
    let printed = url.bytes().all(|byte| byte.is_ascii_graphic());
    (url.len() <= MAX_URL && printed).then_some(url)
}

/// Whether an app runs where its user is: such a URL says nothing about who it is.
#[must_use]
pub fn is_local(url: &str) -> bool {
    let Some(parts) = parts(url) else { return false };
    let host = match parts.host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => parts.host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.ends_with(".localhost") || host == "::1" || {
        let address = host.parse::<std::net::Ipv4Addr>();
        address.is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g90_two_known_categories_are_kept_and_the_others_are_nothing() {
        assert_eq!(categories("cli-agent, nonsense,game,legal"), ["cli-agent", "game"]);
        assert_eq!(categories("game,game, legal"), ["game", "legal"]);
        assert!(categories("Game,,cli agent").is_empty());
        assert!(categories(&"x,".repeat(10_000)).is_empty());
    }

    #[test]
    fn an_app_is_its_url_without_what_changes() {
        for (referer, url) in [
            ("https://App.example", "https://app.example"),
            ("https://app.example/", "https://app.example"),
            ("https://app.example:443/a/B/?q=1#x", "https://app.example/a/B"),
            ("HTTP://user:pass@app.example:8080/a?x", "http://app.example:8080/a"),
            ("https://[::1]:3000/", "https://[::1]:3000"),
        ] {
            assert_eq!(app_url(referer).as_deref(), Some(url), "{referer}");
        }
        let long = format!("https://a.example/{}", "x".repeat(600));
        for none in [
            "",
            "app.example",
            "ftp://a.example",
            "https://",
            "https://?x",
            "https://a b/",
            "https://a.example/\u{e4}",
            "javascript://x/%0aalert(1)",
            "://a",
            long.as_str(),
        ] {
            assert_eq!(app_url(none), None, "{none}");
        }
        assert_eq!(origin("https://a.example/b?c").as_deref(), Some("https://a.example"));
    }

    #[test]
    fn an_app_on_the_users_own_machine_is_local() {
        for local in [
            "http://localhost:3000",
            "http://127.0.0.1/x",
            "http://[::1]:80/",
            "http://app.localhost",
        ] {
            assert!(is_local(local), "{local}");
        }
        for other in ["https://localhost.example", "https://127.example", "nothing"] {
            assert!(!is_local(other), "{other}");
        }
    }
}
