//! How a provider speaks a dialect, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{Dialect, Speaks, Transport, Watch, placeholder};

/// One `[[providers.speaks]]` row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Speaks`, as they are written")]
pub struct SpeaksRow {
    pub dialect: Dialect,
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub stream_path: Option<String>,
    #[serde(default)]
    pub versioned_path: Option<String>,
    /// On top of the dialect's own; an empty value takes one away.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Left out: the provider's, else the dialect's.
    #[serde(default)]
    pub transport: Option<String>,
    /// The header of `header-key`.
    #[serde(default)]
    pub header: Option<String>,
    /// The query parameter of `query-key`.
    #[serde(default)]
    pub parameter: Option<String>,
    #[serde(default)]
    pub patches: Vec<Value>,
    #[serde(default)]
    pub watch: Watch,
}

type Problem = (&'static str, String);

impl SpeaksRow {
    /// The dialect with everything by default.
    pub(super) fn plain(dialect: Dialect) -> Self {
        Self {
            dialect,
            path: None,
            stream_path: None,
            versioned_path: None,
            headers: BTreeMap::new(),
            transport: None,
            header: None,
            parameter: None,
            patches: Vec::new(),
            watch: Watch::default(),
        }
    }

    /// What the row says, or the key that is wrong and why.
    pub(super) fn read(&self, inherited: Option<&str>) -> Result<Speaks, Problem> {
        for (key, path) in [
            ("path", &self.path),
            ("stream_path", &self.stream_path),
            ("versioned_path", &self.versioned_path),
        ] {
            if let Some(path) = path {
                check_path(path).map_err(|problem| (key, problem))?;
            }
        }
        let two_paths = self.dialect.default_stream_path().is_some();
        if two_paths && self.path.is_some() != self.stream_path.is_some() {
            let problem = "the dialect streams elsewhere: expected both path and stream_path";
            return Err(("stream_path", problem.to_owned()));
        }
        let transport = match self.transport.as_deref().or(inherited) {
            None => self.dialect.default_transport(),
            Some("bearer") => Transport::Bearer,
            Some("header-key") => Transport::HeaderKey { header: self.header()? },
            Some("query-key") => Transport::QueryKey { parameter: self.parameter()? },
            Some("azure") => Transport::Azure,
            Some("vertex") => Transport::Vertex,
            Some("sigv4") => Transport::Sigv4,
            Some("bedrock-invoke") => Transport::BedrockInvoke,
            Some("none") => Transport::None,
            Some(other) => return Err(("transport", format!("no such transport: {other:?}"))),
        };
        Ok(Speaks {
            dialect: self.dialect,
            path: self.path.clone(),
            stream_path: self.stream_path.clone(),
            versioned_path: self.versioned_path.clone(),
            headers: self.headers()?,
            transport,
            patches: self.patches.clone(),
            watch: self.watch.clone(),
        })
    }

    fn headers(&self) -> Result<BTreeMap<String, String>, Problem> {
        let own = self.dialect.default_headers().iter();
        let mut headers: BTreeMap<String, String> =
            own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in &self.headers {
            let name = header_name(name).map_err(|problem| ("headers", problem))?;
            if value.is_empty() {
                headers.remove(&name);
                continue;
            }
            if value.bytes().any(|byte| !matches!(byte, b' '..=b'~')) {
                return Err(("headers", format!("{name}: expected plain ASCII")));
            }
            placeholder::pieces(value).map_err(|bad| ("headers", format!("{name}: {bad}")))?;
            headers.insert(name, value.clone());
        }
        Ok(headers)
    }

    fn header(&self) -> Result<String, Problem> {
        let name = match (&self.header, self.dialect.default_transport()) {
            (Some(name), _) => name.clone(),
            (None, Transport::HeaderKey { header }) => header,
            (None, _) => return Err(("header", String::from("header-key needs a header name"))),
        };
        header_name(&name).map_err(|problem| ("header", problem))
    }

    fn parameter(&self) -> Result<String, Problem> {
        let name = self.parameter.as_deref().unwrap_or("key");
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || !name.chars().all(plain) {
            return Err(("parameter", format!("{name:?} is no parameter name")));
        }
        Ok(name.to_owned())
    }
}

/// The name in lower case.
fn header_name(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(format!("{name:?} is no header name"));
    }
    Ok(name.to_ascii_lowercase())
}

/// Checks a path as far as text goes.
fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(String::from("expected a path that starts with '/'"));
    }
    if path.contains('#') || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(String::from("expected a path without fragment and spaces"));
    }
    placeholder::pieces(path).map(drop).map_err(|bad| bad.to_string())
}

/// Whether a text is a host, perhaps with a port.
pub(super) fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
    !host.is_empty() && host.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Speaks, Problem> {
        toml::from_str::<SpeaksRow>(text).unwrap().read(None)
    }

    #[test]
    fn paths_come_from_the_row_else_from_the_dialect() {
        for (row, path, stream_path) in [
            ("dialect = 'openai-chat'", "/chat/completions", "/chat/completions"),
            ("dialect = 'openai-chat'\npath = '/c'", "/c", "/c"),
            ("dialect = 'openai-chat'\npath = '/c'\nstream_path = '/s?a=b'", "/c", "/s?a=b"),
            (
                "dialect = 'gemini'",
                "/models/{model}:generateContent",
                "/models/{model}:streamGenerateContent?alt=sse",
            ),
            (
                "dialect = 'bedrock-converse'",
                "/model/{model}/converse",
                "/model/{model}/converse-stream",
            ),
        ] {
            let speaks = read(row).unwrap();
            assert_eq!((speaks.path(), speaks.stream_path()), (path, stream_path), "{row}");
        }
    }

    #[test]
    fn headers_lie_on_top_of_the_dialect() {
        let headers = |rest: &str| {
            let speaks = read(&format!("dialect = 'anthropic-messages'\n{rest}")).unwrap();
            speaks.headers.into_iter().map(|(name, value)| name + "=" + &value).collect::<Vec<_>>()
        };
        assert_eq!(headers(""), ["anthropic-version=2023-06-01"]);
        assert_eq!(
            headers("headers = { X-Region = '{region}', anthropic-version = '2' }"),
            ["anthropic-version=2", "x-region={region}"]
        );
        assert!(headers("headers = { Anthropic-Version = '' }").is_empty());
    }

    #[test]
    fn bad_rows_name_their_key() {
        for (row, key) in [
            ("dialect = 'gemini'\npath = '/x'", "stream_path"),
            ("dialect = 'openai-chat'\npath = '/x/{account}'", "path"),
            ("dialect = 'openai-chat'\nstream_path = 'x'", "stream_path"),
            ("dialect = 'openai-chat'\nversioned_path = '/x y'", "versioned_path"),
            ("dialect = 'openai-chat'\nheaders = { 'a b' = 'c' }", "headers"),
            ("dialect = 'openai-chat'\nheaders = { a = \"b\\r\\nc: d\" }", "headers"),
            ("dialect = 'openai-chat'\nheaders = { a = '{b}' }", "headers"),
            ("dialect = 'openai-chat'\ntransport = 'query-key'\nparameter = 'a&b'", "parameter"),
        ] {
            assert_eq!(read(row).unwrap_err().0, key, "{row}");
        }
    }
}
