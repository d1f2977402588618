//! Why the laboratory refuses to start.

/// What is wrong with a setup or a file. The text is one line for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabError {
    /// A line of a recorded file can't be read. Nothing of the file is used.
    #[error("{file}, line {line}: {problem}")]
    Line {
        /// What the file is: `workload` or `outages`.
        file: &'static str,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// A setting is out of its range.
    #[error("{setting}: {problem}")]
    Setting {
        /// The setting, as on the command line.
        setting: &'static str,
        /// What is wrong and what is expected.
        problem: String,
    },
    /// No endpoint of the model can be called at all.
    #[error("{0}: no endpoint of this model can be called")]
    NoEndpoints(String),
    /// No such model, or none that can be called.
    #[error("{0}: no such model")]
    UnknownModel(String),
}

impl LabError {
    pub(crate) fn setting(setting: &'static str, problem: impl Into<String>) -> Self {
        Self::Setting { setting, problem: problem.into() }
    }
}
