//! Writing JSON text member by member, around values that are JSON text already.

use crate::document::quoted;

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct ObjectText(String);

/// An array that is being written.
#[derive(Debug)]
pub(crate) struct ArrayText(String);

impl ObjectText {
    /// An object without members.
    pub(crate) fn new() -> Self {
        Self("{".to_owned())
    }

    /// An object that begins with a `type`.
    pub(crate) fn typed(kind: &str) -> Self {
        let mut object = Self::new();
        object.text("type", kind);
        object
    }

    /// Adds a member whose value is JSON text.
    pub(crate) fn json(&mut self, key: &str, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    /// Adds a member whose value is a string.
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        self.json(key, &quoted(text));
    }

    /// Adds a string, when there is one.
    pub(crate) fn optional_text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(key, text);
        }
    }

    /// Adds JSON text, when there is any.
    pub(crate) fn optional_json(&mut self, key: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.json(key, json);
        }
    }

    /// Whether it has no members.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

impl ArrayText {
    /// An array without elements.
    pub(crate) fn new() -> Self {
        Self("[".to_owned())
    }

    /// Adds an element that is JSON text.
    pub(crate) fn push(&mut self, json: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(json);
    }

    /// Whether it has no elements.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_composed_is_json() {
        let mut list = ArrayText::new();
        assert!(list.is_empty());
        list.push("1e3");
        list.push("null");
        let mut object = ObjectText::typed("a\"b");
        object.json("list", &list.finish());
        object.optional_text("none", None);
        object.optional_json("some", Some("{}"));
        assert_eq!(object.finish(), r#"{"type":"a\"b","list":[1e3,null],"some":{}}"#);
        assert!(ObjectText::new().is_empty());
        assert_eq!(ObjectText::new().finish() + &ArrayText::new().finish(), "{}[]");
    }
}
