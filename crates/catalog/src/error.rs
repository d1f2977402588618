//! Why a catalogue could not be built.

/// A row that is not acceptable. The text names the row and the key, for the operator who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{row}: {key}: {problem}")]
pub struct CatalogueError {
    /// Which row, such as `endpoint acme/tiny at openai`.
    pub row: String,
    /// Which key of the row, such as `pricing.prompt`.
    pub key: String,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl CatalogueError {
    /// An error about one key of one row.
    pub fn new(row: impl Into<String>, key: &str, problem: impl Into<String>) -> Self {
        Self { row: row.into(), key: key.to_owned(), problem: problem.into() }
    }
}
