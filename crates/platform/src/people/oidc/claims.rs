//! What an ID token has to say, and to whom (OpenID Connect Core 1.0, section 3.1.3.7).

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use signalbox_core::Timestamp;

/// Seconds by which clocks may differ.
const SKEW: i64 = 60;
/// Longest subject, in bytes (OpenID Connect Core 1.0, section 2).
const SUBJECT: usize = 255;

/// What is read of an ID token, or of an answer about a person.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Claims {
    iss: Option<String>,
    pub sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: Option<Seconds>,
    iat: Option<Seconds>,
    nbf: Option<Seconds>,
    nonce: Option<String>,
    pub email: Option<String>,
    #[serde(deserialize_with = "truth")]
    pub email_verified: Option<bool>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
}

/// One client or several.
#[derive(Debug, Clone, Default)]
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(String),
            Several(Vec<String>),
        }
        Ok(match Form::deserialize(deserializer)? {
            Form::One(one) => Self(vec![one]),
            Form::Several(several) => Self(several),
        })
    }
}

/// Seconds since 1970, perhaps with a fraction (RFC 7519, section 2).
#[derive(Debug, Clone, Copy)]
struct Seconds(i64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let odd = || serde::de::Error::custom("no time");
        let whole = |value: f64| (value.abs() < 1e15).then_some(value as i64);
        number.as_i64().or_else(|| number.as_f64().and_then(whole)).map(Self).ok_or_else(odd)
    }
}

/// `true` or `false`; some providers write it as a text.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(value) => Some(value),
        Value::String(text) if text == "true" => Some(true),
        Value::Null => None,
        _ => Some(false),
    })
}

/// To whom, by whom and for which sign-in a token has to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

impl Claims {
    /// Reads a document about somebody.
    pub fn read(document: &[u8]) -> Option<Self> {
        let claims: Self = serde_json::from_slice(document).ok()?;
        let plain = claims.sub.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let fits = !claims.sub.trim().is_empty() && claims.sub.len() <= SUBJECT && plain;
        fits.then_some(claims)
    }

    /// Why these are not the claims that were asked for.
    pub fn check(&self, expected: Expected<'_>) -> Result<(), &'static str> {
        if self.iss.as_deref() != Some(expected.issuer) {
            return Err("it is by another issuer");
        }
        if !self.aud.0.iter().any(|one| one == expected.client_id) {
            return Err("it is for another client");
        }
        let azp = self.azp.as_deref();
        if azp.is_some_and(|azp| azp != expected.client_id)
            || (self.aud.0.len() > 1 && azp.is_none())
        {
            return Err("it was issued to another client");
        }
        let now = expected.now.seconds();
        let (latest, earliest) = (now.saturating_add(SKEW), now.saturating_sub(SKEW));
        match self.exp {
            Some(Seconds(exp)) if exp > earliest => {}
            Some(_) => return Err("it has expired"),
            None => return Err("it never expires"),
        }
        match self.iat {
            Some(Seconds(iat)) if iat <= latest => {}
            Some(_) => return Err("it was issued in the future"),
            None => return Err("it does not say when it was issued"),
        }
        if self.nbf.is_some_and(|Seconds(nbf)| nbf > latest) {
            return Err("it is not good yet");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Err("it is for another sign-in");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn check(change: Value) -> Result<(), &'static str> {
        let mut whole = json!({
            "iss": "https://idp.example", "sub": "ada", "aud": "us", "exp": NOW + 300, "iat": NOW,
            "nonce": "n",
        });
        let members = whole.as_object_mut().unwrap();
        for (name, value) in change.as_object().unwrap() {
            match value {
                Value::Null => drop(members.remove(name)),
                value => drop(members.insert(name.clone(), value.clone())),
            }
        }
        let claims = Claims::read(whole.to_string().as_bytes()).ok_or("unreadable")?;
        let now = Timestamp::from_seconds(NOW);
        claims.check(Expected { issuer: "https://idp.example", client_id: "us", nonce: "n", now })
    }

    #[test]
    fn what_was_asked_for_is_taken() {
        for change in [
            json!({}),
            json!({"aud": ["us"]}),
            json!({"aud": ["us", "them"], "azp": "us"}),
            json!({"azp": "us"}),
            json!({"exp": NOW - 59}),
            json!({"exp": NOW as f64 + 0.5}),
            json!({"iat": NOW + 60}),
            json!({"nbf": NOW + 60}),
            json!({"email_verified": "true"}),
            json!({"unknown": {"deep": [1]}}),
        ] {
            assert_eq!(check(change.clone()), Ok(()), "{change}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for (change, why) in [
            (json!({"iss": "https://idp.example/"}), "it is by another issuer"),
            (json!({"iss": null}), "it is by another issuer"),
            (json!({"aud": "them"}), "it is for another client"),
            (json!({"aud": []}), "it is for another client"),
            (json!({"aud": null}), "it is for another client"),
            (json!({"aud": ["us", "them"]}), "it was issued to another client"),
            (json!({"azp": "them"}), "it was issued to another client"),
            (json!({"exp": NOW - 60}), "it has expired"),
            (json!({"exp": null}), "it never expires"),
            (json!({"iat": null}), "it does not say when it was issued"),
            (json!({"iat": NOW + 61}), "it was issued in the future"),
            (json!({"nbf": NOW + 61}), "it is not good yet"),
            (json!({"nonce": "other"}), "it is for another sign-in"),
            (json!({"nonce": null}), "it is for another sign-in"),
            (json!({"sub": ""}), "unreadable"),
            (json!({"sub": " "}), "unreadable"),
            (json!({"sub": null}), "unreadable"),
            (json!({"sub": "x".repeat(256)}), "unreadable"),
            (json!({"sub": "a\u{0}b"}), "unreadable"),
            (json!({"sub": 5}), "unreadable"),
            (json!({"exp": "soon"}), "unreadable"),
            (json!({"exp": 1e300}), "unreadable"),
            (json!({"aud": {"us": 1}}), "unreadable"),
        ] {
            assert_eq!(check(change.clone()), Err(why), "{change}");
        }
        let twice = format!(
            r#"{{"iss":"https://idp.example","sub":"ada","sub":"eve","aud":"us","exp":{NOW}}}"#
        );
        assert!(Claims::read(twice.as_bytes()).is_none());
    }
}
