//! The part of the configuration about people: `[people]`, `[oauth]`, `[mail]`, `[network]`.

use serde::Deserialize;
use signalbox_gateway::{Net, Reach};
use signalbox_platform::people::oidc::{Manner, PlainEndpoints, Provider};
use signalbox_platform::{PeopleSettings, SignUp};
use signalbox_server::{Proxies, ProxyHeader};
use signalbox_upstream::{SmtpSettings, SmtpTls};

use crate::config::secret;
use crate::exit::Stop;

/// What is asked for where a row says nothing.
const OIDC_SCOPES: &str = "openid email profile";
/// The same for GitHub (docs.github.com, scopes for OAuth apps).
const GITHUB_SCOPES: &str = "read:user user:email";
const GITHUB: &str = "https://github.com";

/// Who may make an account: `open`, `invited` (and the first person) or `closed`; where people may sign in
/// instead; whose passwords are good in spite of single sign-on.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PeopleRow {
    sign_up: Option<String>,
    break_glass: Vec<String>,
    providers: Vec<ProviderRow>,
}

/// An identity provider.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderRow {
    id: String,
    name: String,
    #[serde(default)]
    kind: Kind,
    issuer: Option<String>,
    client_id: String,
    client_secret: Option<String>,
    scopes: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Oidc,
    GitHub,
}

/// What apps may do that get keys by authorization codes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OauthRow {
    weak_challenges: bool,
}

/// A mail server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailRow {
    host: String,
    port: Option<u16>,
    tls: Option<String>,
    user: Option<String>,
    password: Option<String>,
    from: String,
}

/// Networks that addresses of tenants may lead to, beside the public internet; the proxies in front of this
/// server.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct NetworkRow {
    allow: Vec<String>,
    trusted_proxies: Vec<String>,
    proxy_header: Option<String>,
}

/// What holds for people and apps.
///
/// # Errors
/// One line that names the member.
pub(crate) fn settings(
    people: PeopleRow,
    oauth: &OauthRow,
    reach: Reach,
) -> Result<PeopleSettings, Stop> {
    let sign_up = match people.sign_up.as_deref() {
        None | Some("invited") => SignUp::Invited,
        Some("open") => SignUp::Open,
        Some("closed") => SignUp::Closed,
        Some(_) => return Err(Stop::usage("people.sign_up: \"open\", \"invited\" or \"closed\"")),
    };
    let mut providers: Vec<Provider> = Vec::new();
    for row in people.providers {
        let one = provider(row)?;
        if providers.iter().any(|other| other.id == one.id) {
            return Err(Stop::usage(format!("people.providers: {} is there twice", one.id)));
        }
        providers.push(one);
    }
    let break_glass = people.break_glass.iter().map(|one| one.trim().to_lowercase()).collect();
    let weak_challenges = oauth.weak_challenges;
    Ok(PeopleSettings { sign_up, weak_challenges, providers, break_glass, reach })
}

fn provider(row: ProviderRow) -> Result<Provider, Stop> {
    let named = |what: &str| format!("people.providers: {}: {what}", row.id);
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    // An id of a connection of an organization is a UUID, which is longer.
    if row.id.is_empty() || row.id.len() > 30 || !row.id.bytes().all(plain) {
        return Err(Stop::usage(named("an id has 1 to 30 of a-z, 0-9 and '-'")));
    }
    let (issuer, manner, scopes) = match row.kind {
        Kind::Oidc => {
            let issuer = row.issuer.clone().ok_or_else(|| Stop::usage(named("no issuer")))?;
            (issuer, Manner::Oidc, OIDC_SCOPES)
        }
        Kind::GitHub => {
            let base = row.issuer.clone().unwrap_or_else(|| GITHUB.to_owned());
            let base = base.trim_end_matches('/').to_owned();
            (base.clone(), Manner::Plain(github(&base)), GITHUB_SCOPES)
        }
    };
    if !Provider::may_be_at(&issuer) {
        return Err(Stop::usage(named("issuer: an https address, or http on this machine")));
    }
    let owner = named("client_secret");
    let client_secret = row.client_secret.as_deref().map(|one| secret(one, &owner)).transpose()?;
    Ok(Provider {
        id: row.id,
        name: row.name,
        issuer,
        client_id: row.client_id,
        client_secret,
        scopes: row.scopes.unwrap_or_else(|| scopes.to_owned()),
        manner,
    })
}

/// Where GitHub, or a GitHub Enterprise Server, is asked (docs.github.com, authorizing OAuth apps).
fn github(base: &str) -> PlainEndpoints {
    let api = match base {
        GITHUB => "https://api.github.com".to_owned(),
        server => format!("{server}/api/v3"),
    };
    PlainEndpoints {
        authorization: format!("{base}/login/oauth/authorize"),
        token: format!("{base}/login/oauth/access_token"),
        user: format!("{api}/user"),
        emails: format!("{api}/user/emails"),
    }
}

/// Where letters go.
///
/// # Errors
/// One line that names the member.
pub(crate) fn mail(row: MailRow) -> Result<SmtpSettings, Stop> {
    let tls = match row.tls.as_deref() {
        None | Some("starttls") => SmtpTls::StartTls,
        Some("implicit") => SmtpTls::Implicit,
        Some("none") => SmtpTls::Never,
        Some(_) => return Err(Stop::usage("mail.tls: \"starttls\", \"implicit\" or \"none\"")),
    };
    let login = match (row.user, row.password) {
        (None, None) => None,
        (Some(user), Some(password)) => Some((user, secret(&password, "mail.password")?)),
        _ => return Err(Stop::usage("mail: user and password, or neither")),
    };
    let near = matches!(row.host.as_str(), "localhost" | "127.0.0.1" | "::1");
    if tls == SmtpTls::Never && login.is_some() && !near {
        return Err(Stop::usage(
            "mail.tls: a password is not sent in clear text to another machine",
        ));
    }
    Ok(SmtpSettings { host: row.host, port: row.port, tls, login, from: row.from })
}

/// Whom headers about clients are believed of.
///
/// # Errors
/// One line that names the member.
pub(crate) fn proxies(row: &NetworkRow) -> Result<Proxies, Stop> {
    let header = match row.proxy_header.as_deref() {
        None | Some("x-forwarded-for") => ProxyHeader::XForwardedFor,
        Some("forwarded") => ProxyHeader::Forwarded,
        Some(_) => {
            return Err(Stop::usage("network.proxy_header: \"x-forwarded-for\" or \"forwarded\""));
        }
    };
    Ok(Proxies { trusted: nets("network.trusted_proxies", &row.trusted_proxies)?, header })
}

/// Where addresses of tenants may lead.
///
/// # Errors
/// One line that names the member.
pub(crate) fn reach(row: &NetworkRow) -> Result<Reach, Stop> {
    nets("network.allow", &row.allow).map(Reach::also)
}

fn nets(name: &str, texts: &[String]) -> Result<Vec<Net>, Stop> {
    let net = |text: &String| {
        text.parse::<Net>().map_err(|error| Stop::usage(format!("{name}: {text:?}: {error}")))
    };
    texts.iter().map(net).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Rows {
        #[serde(default)]
        people: PeopleRow,
        mail: Option<MailRow>,
        #[serde(default)]
        network: NetworkRow,
    }

    fn read(text: &str) -> Result<(PeopleSettings, Option<SmtpSettings>, Proxies), Stop> {
        let rows: Rows = toml::from_str(text).map_err(|error| Stop::usage(error.to_string()))?;
        let people = settings(rows.people, &OauthRow::default(), Reach::PublicOnly)?;
        Ok((people, rows.mail.map(mail).transpose()?, proxies(&rows.network)?))
    }

    #[test]
    fn the_documented_example_is_read() {
        let (people, mail, proxies) = read(
            r#"
            [people]
            break_glass = ["Ada@Works.Example"]
            [[people.providers]]
            id = "google"
            name = "Google"
            issuer = "https://accounts.google.com"
            client_id = "1234.apps.googleusercontent.com"
            client_secret = "canary"
            [[people.providers]]
            id = "github"
            name = "GitHub"
            kind = "github"
            client_id = "Iv1.abc"
            client_secret = "canary"
            [mail]
            host = "smtp.example.com"
            user = "gate"
            password = "canary"
            from = "Signalbox <gate@example.com>"
            [network]
            trusted_proxies = ["10.0.0.0/8", "::1"]
            "#,
        )
        .unwrap();
        assert_eq!(people.break_glass, ["ada@works.example"]);
        assert_eq!(people.providers[0].manner, Manner::Oidc);
        let Manner::Plain(at) = &people.providers[1].manner else { panic!() };
        assert_eq!(at.emails, "https://api.github.com/user/emails");
        let mail = mail.unwrap();
        assert_eq!((mail.tls, mail.port), (SmtpTls::StartTls, None));
        assert_eq!(proxies.trusted.len(), 2);
        assert!(!format!("{people:?} {mail:?}").contains("canary"), "no secret prints");
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        let provider =
            "[[people.providers]]\nname = 'x'\nclient_id = 'x'\nclient_secret = 'canary'\n";
        for (text, expected) in [
            (format!("{provider}id = 'A'\nissuer = 'https://a.example'"), "an id has"),
            (format!("{provider}id = 'a'"), "no issuer"),
            (format!("{provider}id = 'a'\nissuer = 'http://a.example'"), "issuer: an https"),
            (
                format!(
                    "{0}id = 'a'\nissuer = 'https://a.example'\n{0}id = 'a'\nissuer = 'https://b.example'",
                    provider
                ),
                "a is there twice",
            ),
            ("[people]\nsign_up = 'maybe'".to_owned(), "people.sign_up"),
            ("[mail]\nhost = 'a'\nfrom = 'a@b'\ntls = 'maybe'".to_owned(), "mail.tls"),
            ("[mail]\nhost = 'a'\nfrom = 'a@b'\npassword = 'canary'".to_owned(), "mail: user"),
            (
                "[mail]\nhost = 'a'\nfrom = 'a@b'\nuser = 'u'\npassword = 'canary'\ntls = 'none'"
                    .to_owned(),
                "mail.tls: a password",
            ),
            ("[network]\ntrusted_proxies = ['10.0.0.0/40']".to_owned(), "network.trusted_proxies"),
            ("[network]\nproxy_header = 'x-real-ip'".to_owned(), "network.proxy_header"),
        ] {
            let stop = read(&text).unwrap_err().to_string();
            assert!(stop.contains(expected) && !stop.contains("canary"), "{stop}");
        }
    }
}
