//! What an issuer says of itself (OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3).

use serde::Deserialize;

use super::Trouble;
use super::outside::Outside;

/// What is read of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub userinfo_endpoint: Option<String>,
    pub jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default, rename = "authorization_response_iss_parameter_supported")]
    pub names_itself: bool,
}

/// Where an issuer has its metadata.
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Reads the metadata of an issuer, which have to be its own.
    pub fn read(document: &[u8], issuer: &str) -> Result<Self, Trouble> {
        let odd = |_| Trouble::Unreachable("its metadata can't be read");
        let metadata: Self = serde_json::from_slice(document).map_err(odd)?;
        if metadata.issuer != issuer {
            return Err(Trouble::Unreachable("its metadata are another issuer's"));
        }
        let user = metadata.userinfo_endpoint.iter();
        let named =
            [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        if named.into_iter().chain(user).any(|url| !Outside::may_call(url)) {
            return Err(Trouble::Unreachable("its metadata name an address that is not https"));
        }
        Ok(metadata)
    }

    /// Whether the client proves itself in a header; in the body if not. A header is what holds where
    /// nothing is said.
    pub fn proves_in_header(&self) -> bool {
        let methods = self.token_endpoint_auth_methods_supported.as_ref();
        methods.is_none_or(|methods| methods.iter().any(|one| one == "client_secret_basic"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(change: Value) -> Result<Metadata, Trouble> {
        let mut whole = json!({
            "issuer": "https://idp.example/", "jwks_uri": "https://idp.example/keys",
            "authorization_endpoint": "https://idp.example/go?a=b",
            "token_endpoint": "https://idp.example/token",
        });
        whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Metadata::read(whole.to_string().as_bytes(), "https://idp.example/")
    }

    #[test]
    fn metadata_are_the_issuers_own_and_name_addresses_that_may_be_called() {
        assert!(read(json!({})).unwrap().proves_in_header());
        let posts = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
        assert!(!read(posts).unwrap().proves_in_header());
        for change in [
            json!({"issuer": "https://idp.example"}),
            json!({"issuer": "https://evil.example/"}),
            json!({"jwks_uri": "http://idp.example/keys"}),
            json!({"jwks_uri": "file:///etc/passwd"}),
            json!({"token_endpoint": "https://u:p@idp.example/token"}),
            json!({"token_endpoint": ""}),
            json!({"authorization_endpoint": "javascript:alert(1)"}),
            json!({"authorization_endpoint": "https://idp.example/#x"}),
            json!({"userinfo_endpoint": "gopher://idp.example/"}),
            json!({"jwks_uri": null}),
        ] {
            assert!(read(change.clone()).is_err(), "{change}");
        }
        assert_eq!(
            address("https://a.example/b/"),
            "https://a.example/b/.well-known/openid-configuration"
        );
    }
}
