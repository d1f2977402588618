//! Sources of an answer: `citations`, as `url_citation` annotations.
//!
//! A source is a document of the request or a tool's result, a free object. Only one with an address
//! can be told to a chat client. Places count the characters of one block of the content; the client
//! sees the text of all blocks as one, so the text before is added. What was cited while thinking or
//! planning has no place in that text.

use crate::citation::{Place, Sources};
use crate::compose::ArrayText;
use crate::document::{Kind, Raw};

/// Members of a document that may be its address.
const ADDRESSES: &[&str] = &["url", "uri", "link", "source"];
/// More blocks of text have no places.
const MOST_BLOCKS: usize = 128;

/// What is known of the citations of one answer.
#[derive(Debug)]
pub(super) struct Citations {
    sources: Sources,
    list: ArrayText,
    /// Blocks of text: their number in the content, and how many characters come before.
    blocks: Vec<(u64, u64)>,
    /// Characters of text so far.
    chars: u64,
}

impl Default for Citations {
    fn default() -> Self {
        Self { sources: Sources::default(), list: ArrayText::new(), blocks: Vec::new(), chars: 0 }
    }
}

impl Citations {
    /// A block of text begins.
    pub(super) fn open(&mut self, number: u64) {
        if self.blocks.len() < MOST_BLOCKS {
            self.blocks.push((number, self.chars));
        }
    }

    /// Text is added to the block.
    pub(super) fn text(&mut self, text: &str) {
        let count = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        self.chars = self.chars.saturating_add(count);
    }

    /// One citation.
    pub(super) fn add(&mut self, citation: Raw<'_>) {
        let place = self.place(citation);
        for (_, source) in citation.get("sources").into_iter().flat_map(Raw::elements) {
            let inner = ["document", "tool_output"].iter().find_map(|name| source.get(name));
            let Some(inner) = inner.filter(|inner| inner.kind() == Kind::Object) else { continue };
            let text = |name: &&str| inner.get(name).and_then(Raw::string);
            let is_address =
                |text: &str| text.starts_with("https://") || text.starts_with("http://");
            let url = ADDRESSES.iter().filter_map(text).find(|text| is_address(text));
            let title = ["title", "name"].iter().find_map(text).unwrap_or_default();
            if let Some(url) = url {
                self.sources.tell(&url, &title, place, &mut self.list);
            }
        }
    }

    fn place(&self, citation: Raw<'_>) -> Place {
        let number = |name: &str| {
            citation.get(name).and_then(Raw::integer).and_then(|value| u64::try_from(value).ok())
        };
        let kind = citation.get("type").and_then(Raw::inner);
        let block = number("content_index").unwrap_or(0);
        let before = self.blocks.iter().rfind(|(number, _)| *number == block);
        match (number("start"), number("end"), before) {
            (Some(start), Some(end), Some((_, before)))
                if start < end && matches!(kind, None | Some("TEXT_CONTENT")) =>
            {
                Place { start: start.saturating_add(*before), end: end.saturating_add(*before) }
            }
            _ => Place::default(),
        }
    }

    /// The annotations as a JSON array; `None` when there are none. Later ones begin anew.
    pub(super) fn take(&mut self) -> Option<String> {
        let list = std::mem::replace(&mut self.list, ArrayText::new());
        (!list.is_empty()).then(|| list.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_the_text_before_and_sources_without_an_address_are_left_out() {
        let mut citations = Citations::default();
        citations.open(1);
        citations.text("né");
        citations.open(2);
        let cited = r#"{"start":1,"end":3,"text":"x","content_index":2,"type":"TEXT_CONTENT","sources":[
            {"type":"document","id":"d0","document":{"url":"https://a.test/","title":"A"}},
            {"type":"document","id":"d0","document":{"url":"https://a.test/","title":"again"}},
            {"type":"tool","id":"t0","tool_output":{"source":"a book","link":"http://b.test/"}},
            {"type":"tool","id":"t1","tool_output":{"text":"7"}}]}"#;
        citations.add(Raw::new(cited));
        citations.add(Raw::new(&cited.replace("TEXT_CONTENT", "PLAN").replace("https:", "http:")));
        let list = citations.take().unwrap();
        let expected = [
            r#"{"url":"https://a.test/","title":"A","start_index":3,"end_index":5}"#,
            r#"{"url":"http://b.test/","title":"","start_index":3,"end_index":5}"#,
            r#"{"url":"http://a.test/","title":"A","start_index":0,"end_index":0}"#,
        ];
        for one in expected {
            assert!(list.contains(one), "{list}");
        }
        assert_eq!(list.matches("url_citation\",").count(), 4);
        assert_eq!(citations.take(), None);
    }
}
