//! What a stream's chunks have in common at their beginning.

/// The members before `choices` of an earlier chunk. They hardly ever change within a stream, so a
/// chunk that begins with the same bytes need not be read there again.
#[derive(Debug, Default)]
pub(super) struct Preamble {
    pub(super) input: Vec<u8>,
    pub(super) output: Vec<u8>,
    pub(super) unknown: bool,
    pub(super) fingerprint: bool,
}

/// Longest preamble that is remembered.
const MAX_PREAMBLE_BYTES: usize = 4096;

/// What the members beside `choices` said.
#[derive(Default)]
pub(super) struct Top<'a> {
    pub(super) choices: Option<usize>,
    pub(super) hollow: usize,
    pub(super) error: Option<&'a str>,
    /// `"object":"error"`, or a `message` or `detail` where an answer should be.
    pub(super) complains: bool,
    pub(super) unknown: bool,
    pub(super) fingerprint: bool,
    /// Something was seen that counts anew in every chunk.
    pub(super) counted: bool,
}

impl Preamble {
    /// Whether a chunk begins with the remembered members, and goes on after them.
    pub(super) fn begins(&self, text: &str) -> bool {
        let rest = text.as_bytes().strip_prefix(self.input.as_slice());
        !self.input.is_empty() && rest.is_some_and(|rest| rest.first() == Some(&b','))
    }

    /// Keeps the members that were read and what became of them.
    pub(super) fn remember(&mut self, input: &str, output: &[u8], top: &Top<'_>) {
        self.input.clear();
        self.output.clear();
        // An opening brace alone is not worth it.
        if top.counted || top.error.is_some() || input.len() > MAX_PREAMBLE_BYTES {
            return;
        }
        if input.ends_with('{') {
            return;
        }
        self.input.extend_from_slice(input.as_bytes());
        self.output.extend_from_slice(output);
        self.unknown = top.unknown;
        self.fingerprint = top.fingerprint;
    }
}
