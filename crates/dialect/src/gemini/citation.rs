//! Sources of an answer: `groundingMetadata` and `citationMetadata`, as `url_citation` annotations.
//!
//! Places in the text are bytes of one part here and letters of the whole answer there; they are
//! left out as zeros, as search engines without places have them.

use crate::citation::{Place, Sources};
use crate::compose::ArrayText;
use crate::document::Raw;

/// Sources of one answer; each is told once.
#[derive(Debug, Default)]
pub(super) struct Citations(Sources);

impl Citations {
    /// The annotations that this metadata adds, as a JSON array; `None` when there are none.
    pub(super) fn add(&mut self, metadata: Raw<'_>) -> Option<String> {
        let mut list = ArrayText::new();
        for (_, chunk) in metadata.get("groundingChunks").into_iter().flat_map(Raw::elements) {
            for kind in ["web", "retrievedContext", "maps"] {
                if let Some(source) = chunk.get(kind) {
                    self.tell(source, &mut list);
                }
            }
        }
        for name in ["citations", "citationSources"] {
            for (_, source) in metadata.get(name).into_iter().flat_map(Raw::elements) {
                self.tell(source, &mut list);
            }
        }
        (!list.is_empty()).then(|| list.finish())
    }

    fn tell(&mut self, source: Raw<'_>, list: &mut ArrayText) {
        let Some(url) = source.get("uri").and_then(Raw::string) else { return };
        let title = source.get("title").and_then(Raw::string).unwrap_or_default();
        self.0.tell(&url, &title, Place::default(), list);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_once() {
        let mut citations = Citations::default();
        let web = r#"{"groundingChunks":[{"web":{"uri":"https://a.test/","title":"A"}},{"web":{"uri":"https://a.test/"}}]}"#;
        let expected = r#"[{"type":"url_citation","url_citation":{"url":"https://a.test/","title":"A","start_index":0,"end_index":0}}]"#;
        assert_eq!(citations.add(Raw::new(web)).as_deref(), Some(expected));
        assert_eq!(citations.add(Raw::new(web)), None);
        let cited =
            r#"{"citationSources":[{"startIndex":3,"endIndex":9,"uri":"https://b.test/"},{}]}"#;
        assert!(citations.add(Raw::new(cited)).unwrap().contains("https://b.test/"));
    }
}
