//! What a provider is paid with: a plain key, the JSON object that a cloud hands out, or a JSON list of
//! the resources and deployments that somebody has there.

mod check;
mod entries;

use std::sync::Arc;

use serde::Deserialize;
use signalbox_core::Secret;

pub use self::entries::Part;
pub(crate) use self::entries::{Entry, Place};
use crate::address::AddressError;
use crate::token::{SourceError, SourceFile, TokenSource};
use crate::web_address::WebAddressError;

/// A credential, read. Debug output shows no secret. Clones share what is cached.
#[derive(Debug, Clone)]
pub struct Credential {
    pub(crate) kind: Kind,
    /// The region that comes with it, for endpoints that name none.
    pub(crate) region: Option<String>,
    /// The cloud project that comes with it.
    pub(crate) project: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// An API key, or an access token that is ready for use.
    Key(Secret<String>),
    /// A pair of keys that sign requests.
    Signing(SigningKeys),
    /// What fetches access tokens.
    Tokens(Arc<TokenSource>),
    /// Resources and deployments, each with a key of its own.
    Entries(Arc<[Entry]>),
}

/// What signs requests to AWS.
#[derive(Debug, Clone)]
pub(crate) struct SigningKeys {
    pub access_key_id: Secret<String>,
    pub secret_access_key: Secret<String>,
    pub session_token: Option<Secret<String>>,
}

/// Why a credential can't be read. The text never repeats the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// It has characters that no header may have, or is empty.
    #[error("the credential has characters that no key has")]
    Characters,
    /// It begins like a JSON object and is none.
    #[error("the credential begins with '{{' but is no JSON object")]
    Json,
    /// A JSON object with none of the known sets of members.
    #[error(
        "the credential's JSON has neither \"api_key\", nor \"access_key_id\" and \
         \"secret_access_key\", nor \"access_token\", nor the type service_account or authorized_user"
    )]
    Members,
    /// A file that access tokens come from, but not this one.
    #[error("the credential's {0}")]
    Source(#[from] SourceError),
    /// A region or project that can't stand in an address.
    #[error("the credential's {0} can't stand in an address")]
    Place(&'static str),
    /// It begins like a JSON list and is none of entries.
    #[error(
        "the credential begins with '[' but is no list of one to 100 objects, each with \"api_key\" and \
         either \"resource_name\", or \"model_slug\", \"endpoint_url\" and \"model_id\""
    )]
    Entries,
    /// An entry's `resource_name` is no part of a host name.
    #[error("a resource_name of the credential is no part of a host name")]
    ResourceName,
    /// The provider has no resources, or none of this kind.
    #[error("the provider has no resources of the resource_type of the credential")]
    ResourceMissing,
    /// An entry's `endpoint_url` is none.
    #[error("an endpoint_url of the credential: {0}")]
    Url(WebAddressError),
    /// No entry is for the model and the dialect.
    #[error("the credential has no entry for the model")]
    NoEntry,
    /// The provider has no use for a credential of this kind.
    #[error("the provider has no use for a credential of this kind")]
    Kind,
    /// The provider needs no credential, or takes none from callers.
    #[error("the provider takes no keys of callers")]
    NotTaken,
    /// Together with the provider's row it gives no address.
    #[error("{0}")]
    Address(AddressError),
    /// The name of a bucket is none, or has a path.
    #[error("the credential's bucket is no plain name")]
    Bucket,
}

/// Every member that is known; a cloud's file has more.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(alias = "apiKey")]
    api_key: Option<String>,
    #[serde(alias = "accessToken")]
    access_token: Option<String>,
    #[serde(alias = "accessKeyId")]
    access_key_id: Option<String>,
    #[serde(alias = "secretAccessKey")]
    secret_access_key: Option<String>,
    #[serde(alias = "sessionToken")]
    session_token: Option<String>,
    region: Option<String>,
    /// For batches.
    bucket: Option<String>,
    project_id: Option<String>,
    /// The project of a user's file, which has no other.
    quota_project_id: Option<String>,
}

impl Credential {
    /// Reads a credential as it is configured: a plain key, or a JSON object.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub fn parse(written: &Secret<String>) -> Result<Self, CredentialError> {
        let text = written.expose().trim();
        if text.starts_with('[') {
            let entries = entries::read(text)?;
            return Ok(Self { kind: Kind::Entries(entries), region: None, project: None });
        }
        if !text.starts_with('{') {
            return Ok(Self { kind: Kind::Key(key(text)?), region: None, project: None });
        }
        let written: Written = serde_json::from_str(text).map_err(|_| CredentialError::Json)?;
        let place = |name, value: &Option<String>| match value {
            Some(value) if !is_place(value) => Err(CredentialError::Place(name)),
            value => Ok(value.clone().filter(|value| !value.is_empty())),
        };
        let region = place("region", &written.region)?;
        if !written.bucket.as_deref().is_none_or(is_bucket) {
            return Err(CredentialError::Bucket);
        }
        let project = written.project_id.clone().or(written.quota_project_id.clone());
        let project = place("project_id", &project)?;
        if written.kind.as_deref().is_some_and(SourceFile::is_source) {
            let file: SourceFile = serde_json::from_str(text).map_err(|_| CredentialError::Json)?;
            return Ok(Self { kind: Kind::Tokens(TokenSource::new(file)?), region, project });
        }
        Ok(Self { kind: kind(&written)?, region, project })
    }
}

fn kind(written: &Written) -> Result<Kind, CredentialError> {
    if let (Some(id), Some(secret)) = (&written.access_key_id, &written.secret_access_key) {
        let token = written.session_token.as_deref().filter(|token| !token.is_empty());
        return Ok(Kind::Signing(SigningKeys {
            access_key_id: key(id)?,
            secret_access_key: key(secret)?,
            session_token: token.map(key).transpose()?,
        }));
    }
    let ready = written.api_key.as_deref().or(written.access_token.as_deref());
    Ok(Kind::Key(key(ready.ok_or(CredentialError::Members)?)?))
}

/// A key that can be sent in a header.
fn key(text: &str) -> Result<Secret<String>, CredentialError> {
    if text.is_empty() || !text.bytes().all(|byte| matches!(byte, b'!'..=b'~')) {
        return Err(CredentialError::Characters);
    }
    Ok(Secret::new(text.to_owned()))
}

/// Whether this is a bucket, with or without `gs://`, and nothing in it
/// (cloud.google.com/storage/docs/buckets#naming).
fn is_bucket(written: &str) -> bool {
    let name = written.strip_prefix("gs://").unwrap_or(written);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (3..=222).contains(&name.len()) && name.bytes().all(plain)
}

/// Whether a region or project can stand in a host name or path as it is.
pub(crate) fn is_place(value: &str) -> bool {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    value.len() <= 100 && value.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Credential, CredentialError> {
        Credential::parse(&Secret::new(text.to_owned()))
    }

    #[test]
    fn a_plain_key_is_itself() {
        let Kind::Key(key) = parse(" sk-1\n").unwrap().kind else { panic!() };
        assert_eq!(key.expose(), "sk-1");
    }

    #[test]
    fn keys_that_sign_come_in_both_spellings() {
        for text in [
            r#"{"access_key_id":"ID","secret_access_key":"S/+","session_token":"T","region":"eu-west-1"}"#,
            r#"{"accessKeyId":"ID","secretAccessKey":"S/+","sessionToken":"T","region":"eu-west-1"}"#,
        ] {
            let read = parse(text).unwrap();
            assert_eq!(read.region.as_deref(), Some("eu-west-1"));
            assert!(!format!("{read:?}").contains("S/+"), "{read:?}");
            let Kind::Signing(keys) = read.kind else { panic!() };
            assert_eq!(keys.secret_access_key.expose(), "S/+");
            assert_eq!(keys.session_token.unwrap().expose(), "T");
        }
    }

    #[test]
    fn a_key_can_bring_its_region_and_project() {
        let read = parse(r#"{"access_token":"ya29","project_id":"p-1","region":"us"}"#).unwrap();
        assert_eq!((read.region.as_deref(), read.project.as_deref()), (Some("us"), Some("p-1")));
        assert!(matches!(read.kind, Kind::Key(_)));
    }

    #[test]
    fn a_bad_credential_is_named_and_not_repeated() {
        for (text, error) in [
            ("", CredentialError::Characters),
            ("two words", CredentialError::Characters),
            ("{\"api_key\":", CredentialError::Json),
            ("{}", CredentialError::Members),
            (r#"{"access_key_id":"ID"}"#, CredentialError::Members),
            (r#"{"api_key":"k","region":"us/../x"}"#, CredentialError::Place("region")),
            (r#"{"api_key":"k","project_id":"a b"}"#, CredentialError::Place("project_id")),
        ] {
            assert_eq!(parse(text).unwrap_err(), error, "{text}");
        }
    }
}
