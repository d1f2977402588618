//! Whatever a directory sends of a user or a group is refused, or comes to something that may be kept and
//! reads back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use signalbox_core::Timestamp;
use signalbox_core::id::{AccountId, UserId};
use signalbox_platform::scim::patch;
use signalbox_platform::scim::resource::{
    UserWish, editable, editable_group, group_of, group_wish,
};
use signalbox_store::scim::ScimUser;

fn keep_user(wish: Result<UserWish, signalbox_platform::scim::ScimError>) {
    let Ok(wish) = wish else { return };
    let _ = wish.address("acme.example");
    let now = Timestamp::from_seconds(1);
    let user = ScimUser {
        id: "1".to_owned(),
        account: AccountId::new("org_1"),
        connection: "c".to_owned(),
        user: UserId::new("user_1"),
        external_id: wish.external_id.clone(),
        active: wish.active.unwrap_or(true),
        profile: wish.profile.clone(),
        created_at: now,
        updated_at: now,
    };
    let again = UserWish::of(&editable(&user)).unwrap();
    assert_eq!(again, UserWish { active: Some(user.active), ..wish });
}

fn user() -> Map<String, Value> {
    let wish = json!({"userName": "ada@acme.example", "active": true, "name": {"givenName": "A"},
        "emails": [{"value": "ada@acme.example", "type": "work", "primary": true}]});
    match patch::lowered(wish) {
        Value::Object(of) => of,
        _ => Map::new(),
    }
}

/// JSON, or else a text.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fuzz_target!(|input: (&str, Vec<(u8, Option<&str>, &str)>)| {
    let (body, operations) = input;
    let verbs = ["add", "replace", "remove", "Replace"];
    let operations: Vec<Value> = operations
        .into_iter()
        .map(|(verb, path, with)| {
            json!({"op": verbs[usize::from(verb) % 4], "path": path, "value": value(with)})
        })
        .collect();
    let patch = json!({ "Operations": operations });
    for patch in [patch, value(body)] {
        let mut of = user();
        if patch::apply(&mut of, patch.clone()).is_ok() {
            keep_user(UserWish::of(&of));
        }
        let draft = group_wish(json!({"displayName": "A", "members": [{"value": "1"}]})).unwrap();
        let mut of = editable_group(&draft);
        if patch::apply(&mut of, patch).is_ok()
            && let Ok(draft) = group_of(&of)
        {
            assert_eq!(group_of(&editable_group(&draft)), Ok(draft));
        }
    }
    keep_user(UserWish::read(value(body)));
    if let Ok(draft) = group_wish(value(body)) {
        assert_eq!(group_of(&editable_group(&draft)), Ok(draft));
    }
});
