//! The tools on offer and which to use.

use super::{CacheMark, Extra, Verbatim};

/// One tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// A function that the client runs.
    Function(Function),
    /// A tool that only one dialect knows. Others lose it.
    Native {
        /// Its type.
        kind: String,
        /// The tool as it came.
        verbatim: Verbatim,
    },
}

/// A function that the client runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// The schema of its parameters, a JSON object as it came.
    pub parameters: Option<String>,
    /// Whether arguments must follow the schema; `None` when nothing was said.
    pub strict: Option<bool>,
    /// Whether the prompt is to be cached up to and with this tool.
    pub cache_mark: Option<CacheMark>,
    /// Members that only the dialect of origin knows.
    pub extra: Vec<Extra>,
}

/// Which tool to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// None at all.
    None,
    /// At least one, whichever.
    Required,
    /// This function.
    Function(String),
    /// A choice that only one dialect knows.
    Native(Verbatim),
}
