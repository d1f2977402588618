//! Which attributes of a resource are answered (RFC 7644, section 3.9).

use serde_json::Value;

/// Most names in one list; more are passed over.
const MOST: usize = 64;

/// `?attributes` and `?excludedAttributes`, names in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape {
    only: Option<Vec<String>>,
    without: Vec<String>,
}

fn names(list: &str) -> Vec<String> {
    let name = |name: &str| {
        let name = name.trim();
        let name = name.rsplit(':').next().unwrap_or(name);
        name.split('.').next().unwrap_or(name).to_ascii_lowercase()
    };
    list.split(',').take(MOST).map(name).filter(|name| !name.is_empty()).collect()
}

impl Shape {
    /// What a request asks for.
    #[must_use]
    pub fn new(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let only = attributes.map(names).filter(|names| !names.is_empty());
        Self { only, without: excluded.map(names).unwrap_or_default() }
    }

    /// Whether an attribute is answered; its name in lower case.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let is_there = |names: &Vec<String>| names.iter().any(|one| one == name);
        matches!(name, "id" | "schemas")
            || (self.only.as_ref().is_none_or(is_there) && !is_there(&self.without))
    }

    /// The resource without what is not answered.
    #[must_use]
    pub fn cut(&self, mut resource: Value) -> Value {
        if let Value::Object(members) = &mut resource {
            members.retain(|name, _| self.has(&name.to_ascii_lowercase()));
        }
        resource
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_left_out_as_asked_but_for_the_id() {
        let resource = json!({"schemas": [], "id": "1", "userName": "a", "name": {}, "meta": {}});
        let cut = |only, without| Shape::new(only, without).cut(resource.clone());
        assert_eq!(cut(None, None), resource);
        assert_eq!(
            cut(Some("USERNAME, urn:x:2.0:User:name.givenName"), None),
            json!({"schemas": [], "id": "1", "userName": "a", "name": {}})
        );
        assert_eq!(
            cut(None, Some("name,meta,id")),
            json!({"schemas": [], "id": "1", "userName": "a"})
        );
        assert_eq!(cut(Some(" , "), None), resource);
    }
}
