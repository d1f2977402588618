//! A filter or the path of a patch is refused, or read as names in lower case and bounded comparisons.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_platform::scim::filter::{Attribute, filter, path};

fn check(attribute: &Attribute) {
    let names = [Some(&attribute.name), attribute.sub.as_ref(), attribute.schema.as_ref()];
    for name in names.into_iter().flatten() {
        assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()), "{attribute:?}");
    }
    assert!(!attribute.name.is_empty());
}

fuzz_target!(|text: &str| {
    if let Ok(found) = filter(text) {
        assert!((1..=8).contains(&found.len()));
        found.iter().for_each(|one| check(&one.attribute));
        // The same in brackets is the same.
        let inside = path(&format!("members[{text}]"));
        if text.len() < 2_000 {
            assert_eq!(inside.unwrap().select, Some(found));
        }
    }
    if let Ok(found) = path(text) {
        check(&found.attribute);
    }
});
