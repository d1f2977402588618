//! Sources with an address, in this dialect's form.

use crate::compose::ObjectText;
use crate::document::Raw;

/// The chat dialect's annotations as citations of results of a search. Nobody here searched, so there is
/// no index to give back to Claude: what is empty there never goes to a provider.
pub(super) fn citations(annotations: &str) -> Vec<String> {
    let list = Raw::new(annotations);
    list.elements().filter_map(|(_, annotation)| citation(annotation)).collect()
}

fn citation(annotation: Raw<'_>) -> Option<String> {
    let inner = annotation.get("url_citation")?;
    let text = |key: &str| inner.get(key).and_then(Raw::string);
    let url = text("url").filter(|url| !url.is_empty())?;
    let mut citation = ObjectText::typed("web_search_result_location");
    citation.text("cited_text", &text("content").unwrap_or_default());
    citation.text("encrypted_index", "");
    citation.text("title", &text("title").unwrap_or_default());
    citation.text("url", &url);
    Some(citation.finish())
}

/// Whether a block has citations that were made here.
pub(super) fn has_made_up(block: Raw<'_>) -> bool {
    let mut list = block.get("citations").into_iter().flat_map(Raw::elements);
    list.any(|(_, one)| one.get("encrypted_index").is_some_and(|index| index.text() == "\"\""))
}
