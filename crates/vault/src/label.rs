//! What a secret is for.

/// What a secret is for. It opens under the same label alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The kind of secret, such as `byok`.
    pub kind: String,
    /// What it is shown to, such as a provider's slug; empty where the kind says it.
    pub audience: String,
    /// The tenant: an account or a person.
    pub owner: String,
    /// The thing that it belongs to.
    pub id: String,
    /// Which one it is of those that this thing has had.
    pub version: i64,
}

impl Label {
    /// The associated data of a part of it. Lengths are written before texts, so that no two labels
    /// read alike.
    pub(crate) fn bytes(&self, part: &str, kek: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let texts = ["signalbox secret", part, kek, &self.kind, &self.audience];
        for text in texts.into_iter().chain([self.owner.as_str(), &self.id]) {
            let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.version.to_be_bytes());
        bytes
    }
}
