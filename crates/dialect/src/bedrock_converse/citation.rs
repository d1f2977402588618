//! Sources of an answer, as `url_citation` annotations. Places in documents of the request have no
//! address and are not told.

use crate::compose::{ArrayText, ObjectText};
use crate::document::Raw;

/// More sources of one block are not told.
const MOST_SOURCES: usize = 1000;

/// Annotations of one block, as they come.
#[derive(Debug, Default)]
pub(super) struct Citations(Vec<String>);

impl Citations {
    /// Adds a citation; tells whether it has a place among annotations.
    pub(super) fn add(&mut self, citation: Raw<'_>) -> bool {
        let web = citation.get("location").and_then(|location| location.get("web"));
        let url = web.and_then(|web| web.get("url")).and_then(Raw::string);
        let Some(url) = url.filter(|url| !url.is_empty()) else { return false };
        if self.0.len() >= MOST_SOURCES {
            return false;
        }
        let mut inner = ObjectText::new();
        inner.text("url", &url);
        inner.text("title", &citation.get("title").and_then(Raw::string).unwrap_or_default());
        inner.json("start_index", "0");
        inner.json("end_index", "0");
        let mut annotation = ObjectText::typed("url_citation");
        annotation.json("url_citation", &inner.finish());
        self.0.push(annotation.finish());
        true
    }

    /// The annotations as a JSON array; `None` when there are none.
    pub(super) fn finish(self) -> Option<String> {
        let mut list = ArrayText::new();
        self.0.iter().for_each(|one| list.push(one));
        (!list.is_empty()).then(|| list.finish())
    }
}
