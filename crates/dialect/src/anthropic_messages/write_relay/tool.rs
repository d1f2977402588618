//! Tools on offer, each as it came but for what the road needs.

use crate::document::{Edits, Raw, splice};

/// What is wanted of the tools.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// `strict` may stay (inference spec 1.4, rule 7).
    pub(super) strict: bool,
    /// Arguments are to arrive as they are made (inference spec 1.4, rule 6).
    pub(super) eager: bool,
}

/// The tool rewritten; none when it can stay as it is. Only the client's own tools stream their
/// arguments on demand, and a wish of the client's stands.
pub(super) fn rewritten(tool: Raw<'_>, wanted: Wanted) -> Option<String> {
    let mut edits = Edits::default();
    if !wanted.strict && tool.get("strict").is_some() {
        edits.remove("strict");
    }
    let kind = tool.get("type").filter(|kind| !kind.is_null()).and_then(Raw::string);
    let is_own = kind.is_none_or(|kind| kind == "custom");
    if wanted.eager && is_own && tool.get("eager_input_streaming").is_none_or(Raw::is_null) {
        edits.set("eager_input_streaming", "true".to_owned());
    }
    (!edits.is_empty()).then(|| splice(tool.text(), tool.members(), &edits))
}
