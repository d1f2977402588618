//! JSON Web Signatures in their compact form, by the keys that an issuer publishes (RFC 7515, 7517, 7518,
//! 8037). The algorithms are public-key ones alone: with `none` or a shared key nobody would have signed.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use serde_json::Value;

/// Longest token that is read, in bytes.
const TOKEN: usize = 64 * 1024;
/// Most keys of one issuer that are looked at.
const KEYS: usize = 100;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsigned {
    /// No published key is the one that it names; they may have changed.
    UnknownKey,
    /// It is no good, whatever the keys are.
    Never(&'static str),
}

enum Scheme {
    Rsa(&'static RsaParameters),
    Curve { name: &'static str, kind: &'static str, with: &'static dyn VerificationAlgorithm },
}

fn scheme(algorithm: &str) -> Option<Scheme> {
    let curve = |kind, name, with| Scheme::Curve { name, kind, with };
    Some(match algorithm {
        "RS256" => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Scheme::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        "PS256" => Scheme::Rsa(&RSA_PSS_2048_8192_SHA256),
        "PS384" => Scheme::Rsa(&RSA_PSS_2048_8192_SHA384),
        "PS512" => Scheme::Rsa(&RSA_PSS_2048_8192_SHA512),
        "ES256" => curve("EC", "P-256", &ECDSA_P256_SHA256_FIXED),
        "ES384" => curve("EC", "P-384", &ECDSA_P384_SHA384_FIXED),
        "EdDSA" => curve("OKP", "Ed25519", &ED25519),
        _ => return None,
    })
}

/// One key (RFC 7517, section 4; RFC 7518, section 6).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Key {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

/// The keys of an issuer.
#[derive(Debug, Clone)]
pub(super) struct Keys(Vec<Key>);

fn bytes(text: &Option<String>) -> Option<Vec<u8>> {
    text.as_ref().and_then(|text| BASE64.decode(text).ok())
}

impl Key {
    /// Whether a signature of this algorithm may be by this key.
    fn fits(&self, algorithm: &str, scheme: &Scheme) -> bool {
        let kind = match scheme {
            Scheme::Rsa(_) => self.kty == "RSA",
            Scheme::Curve { name, kind, .. } => {
                self.kty == *kind && self.crv.as_deref() == Some(*name)
            }
        };
        kind && self.alg.as_deref().is_none_or(|alg| alg == algorithm)
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
    }

    fn signed(&self, scheme: &Scheme, text: &[u8], signature: &[u8]) -> Option<()> {
        match scheme {
            Scheme::Rsa(with) => {
                let (n, e) = (bytes(&self.n)?, bytes(&self.e)?);
                RsaPublicKeyComponents { n, e }.verify(with, text, signature).ok()
            }
            Scheme::Curve { kind: "OKP", with, .. } => {
                UnparsedPublicKey::new(*with, bytes(&self.x)?).verify(text, signature).ok()
            }
            Scheme::Curve { with, .. } => {
                let mut point = vec![4];
                point.extend(bytes(&self.x)?);
                point.extend(bytes(&self.y)?);
                UnparsedPublicKey::new(*with, point).verify(text, signature).ok()
            }
        }
    }
}

impl Keys {
    /// Reads a set of keys. Those that can't be read are nobody's.
    pub fn read(document: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(document).ok()?;
        let read = |key: Value| serde_json::from_value(key).ok();
        Some(Self(set.keys.into_iter().take(KEYS).filter_map(read).collect()))
    }

    /// What a token says, if one of these keys signed it.
    pub fn open(&self, token: &str) -> Result<Vec<u8>, Unsigned> {
        let odd = || Unsigned::Never("it is no signed token");
        if token.len() > TOKEN {
            return Err(odd());
        }
        let (text, signature) = token.rsplit_once('.').ok_or_else(odd)?;
        let (head, payload) = text.split_once('.').ok_or_else(odd)?;
        let decoded = |part: &str| BASE64.decode(part).map_err(|_| odd());
        let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_| odd())?;
        let (payload, signature) = (decoded(payload)?, decoded(signature)?);
        if head.crit.is_some() {
            return Err(Unsigned::Never("it demands what is not understood"));
        }
        // A token of another kind, such as an access token, by the same issuer and for the same client.
        let kind = head.typ.as_deref().unwrap_or("JWT");
        if !kind.eq_ignore_ascii_case("JWT") {
            return Err(Unsigned::Never("it is a token of another kind"));
        }
        let scheme = scheme(&head.alg).ok_or(Unsigned::Never("its algorithm is not taken"))?;
        let fitting = || self.0.iter().filter(|key| key.fits(&head.alg, &scheme));
        let mut chosen = fitting().filter(|key| head.kid.is_none() || key.kid == head.kid);
        let key = chosen.next().ok_or(Unsigned::UnknownKey)?;
        if chosen.next().is_some() {
            return Err(Unsigned::Never("it does not say which of several keys signed it"));
        }
        key.signed(&scheme, text.as_bytes(), &signature)
            .ok_or(Unsigned::Never("its signature is wrong"))?;
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.2: RS256.
    const RSA: &str = r#"{"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]}"#;
    const SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    /// RFC 7515, appendix A.3: ES256.
    const CURVE: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;
    const CURVED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    /// RFC 8037, appendix A.4: EdDSA.
    const EDWARDS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const EDWARDED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    #[test]
    fn the_examples_of_the_standards_are_taken_and_no_altered_one() {
        for (keys, token) in [(RSA, SIGNED), (CURVE, CURVED), (EDWARDS, EDWARDED)] {
            let read = Keys::read(keys.as_bytes()).unwrap();
            read.open(token).unwrap();
            for at in (0..token.len()).step_by(7).filter(|at| token.as_bytes()[*at] != b'.') {
                let mut altered = token.as_bytes().to_vec();
                altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
                let altered = String::from_utf8(altered).unwrap();
                assert!(read.open(&altered).is_err(), "at {at}: {altered}");
            }
        }
        for (keys, token) in [(CURVE, SIGNED), (RSA, CURVED), (CURVE, EDWARDED)] {
            let read = Keys::read(keys.as_bytes()).unwrap();
            assert_eq!(read.open(token), Err(Unsigned::UnknownKey));
        }
    }

    fn with_head(head: &str) -> Result<Vec<u8>, Unsigned> {
        let rest = SIGNED.split_once('.').unwrap().1;
        let token = format!("{}.{rest}", BASE64.encode(head));
        Keys::read(RSA.as_bytes()).unwrap().open(&token)
    }

    #[test]
    fn algorithms_that_nobody_signs_with_are_not_taken() {
        for alg in ["none", "None", "HS256", "HS512", "RS1", "", "rs256", "ES256K"] {
            let told = with_head(&format!(r#"{{"alg":"{alg}"}}"#));
            assert_eq!(told, Err(Unsigned::Never("its algorithm is not taken")), "{alg}");
        }
    }

    #[test]
    fn a_token_of_another_kind_or_with_demands_is_not_taken() {
        for head in [
            r#"{"alg":"RS256","typ":"at+jwt"}"#,
            r#"{"alg":"RS256","typ":"logout+jwt"}"#,
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"none","alg":"RS256"}"#,
            r#"{"alg":5}"#,
            "[]",
            "",
        ] {
            assert!(matches!(with_head(head), Err(Unsigned::Never(_))), "{head}");
        }
        let keys = Keys::read(RSA.as_bytes()).unwrap();
        for token in ["", ".", "..", "a.b", "a.b.c.d", &"x".repeat(70_000)] {
            assert!(matches!(keys.open(token), Err(Unsigned::Never(_))), "{token}");
        }
    }

    #[test]
    fn a_key_is_used_for_what_it_says_alone() {
        let key = |more: &str| RSA.replace(r#""kty":"RSA""#, &format!(r#""kty":"RSA",{more}"#));
        for (more, taken) in [
            (r#""use":"sig","alg":"RS256","kid":"1""#, true),
            (r#""use":"enc""#, false),
            (r#""alg":"RS512""#, false),
        ] {
            let read = Keys::read(key(more).as_bytes()).unwrap();
            assert_eq!(read.open(SIGNED).is_ok(), taken, "{more}");
        }
        // Two that would do, and no name of one.
        let one = RSA.trim_start_matches(r#"{"keys":["#).trim_end_matches("]}");
        let two = Keys::read(format!(r#"{{"keys":[{one},{one}]}}"#).as_bytes()).unwrap();
        assert!(matches!(two.open(SIGNED), Err(Unsigned::Never(_))));
        assert!(Keys::read(b"{}").is_none());
        assert_eq!(Keys::read(br#"{"keys":[1,{},{"kty":"RSA","n":5}]}"#).unwrap().0.len(), 1);
    }
}
