use super::*;

fn patched(resource: Value, operations: Value) -> Result<Value, ScimError> {
    let Value::Object(mut resource) = resource else { panic!("an object") };
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
    apply(&mut resource, json!({"schemas": schemas, "Operations": operations}))?;
    Ok(Value::Object(resource))
}

fn person() -> Value {
    json!({"username": "ada", "active": true, "name": {"givenname": "Ada"},
        "emails": [{"value": "ada@acme.example", "type": "work", "primary": true}]})
}

#[test]
fn users_are_patched_in_the_shapes_that_directories_send() {
    let inactive = |mut of: Value, how: Value| {
        of["active"] = how;
        of
    };
    let with_family = {
        let mut of = person();
        of["name"]["familyname"] = json!("Byron");
        of
    };
    for (operations, expected) in [
        // Okta.
        (json!([{"op": "replace", "value": {"active": false}}]), inactive(person(), json!(false))),
        // Entra ID, the older form.
        (
            json!([{"op": "Replace", "path": "active", "value": "False"}]),
            inactive(person(), json!("False")),
        ),
        (json!([{"op": "Replace", "value": {"ACTIVE": false}}]), inactive(person(), json!(false))),
        (json!([{"op": "Add", "path": "name.familyName", "value": "Byron"}]), with_family.clone()),
        (json!([{"op": "replace", "value": {"name.familyName": "Byron"}}]), with_family.clone()),
        (json!([{"op": "replace", "value": {"name": {"familyName": "Byron"}}}]), with_family),
        // What is not kept, and what only this side changes.
        (
            json!([
                {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "x"},
                {"op": "Replace", "value": {"id": "7", "meta": {}, "strange name!": 1,
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"a": 1}}},
            ]),
            person(),
        ),
        (json!([{"op": "remove", "path": "nickName"}]), person()),
    ] {
        assert_eq!(patched(person(), operations.clone()), Ok(expected), "{operations}");
    }
    let work = r#"emails[type eq "work"].value"#;
    let operations = json!([{"op": "Replace", "path": work, "value": "a@acme.example"}]);
    let changed = patched(person(), operations.clone()).unwrap();
    assert_eq!(changed["emails"][0]["value"], "a@acme.example");
    let bare = json!({"username": "ada"});
    let changed = patched(bare, operations).unwrap();
    assert_eq!(changed["emails"], json!([{"type": "work", "value": "a@acme.example"}]));
    let operations = json!([{"op": "remove", "path": r#"emails[type eq "work"]"#}]);
    assert_eq!(patched(person(), operations).unwrap()["emails"], json!([]));
}

#[test]
fn members_of_groups_come_and_go_in_the_shapes_that_directories_send() {
    let group = || json!({"displayname": "A", "members": [{"value": "1"}, {"value": "2"}]});
    for (operations, expected) in [
        (
            json!([{"op": "add", "path": "members", "value": [{"value": "3"}, {"value": "1"}]}]),
            "123",
        ),
        (json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": "3"}]}]), "123"),
        (json!([{"op": "add", "path": "members", "value": {"value": "3"}}]), "123"),
        (json!([{"op": "add", "value": {"members": [{"value": "3"}]}}]), "123"),
        (json!([{"op": "remove", "path": r#"members[value eq "1"]"#}]), "2"),
        (json!([{"op": "remove", "path": r#"members[value eq "9"]"#}]), "12"),
        (json!([{"op": "Remove", "path": "members", "value": [{"value": "1"}]}]), "2"),
        (json!([{"op": "Remove", "path": "members", "value": ["1", "9"]}]), "2"),
        (json!([{"op": "Remove", "path": "members", "value": []}]), "12"),
        (json!([{"op": "remove", "path": "members"}]), ""),
        (json!([{"op": "replace", "path": "members", "value": [{"value": "4"}]}]), "4"),
        (json!([{"op": "replace", "value": {"id": "7", "displayName": "B"}}]), "12"),
        (
            json!([{"op": "add", "path": "members", "value": [{"value": "5"}]},
                {"op": "remove", "path": r#"members[value eq "2"]"#}]),
            "15",
        ),
    ] {
        let changed = patched(group(), operations.clone()).unwrap();
        let of = |one: &Value| one["value"].as_str().unwrap_or_default().to_owned();
        let members = changed["members"].as_array();
        let members: String = members.into_iter().flatten().map(of).collect();
        assert_eq!(members, expected, "{operations}");
    }
}

#[test]
fn patches_that_make_no_sense_are_refused_with_the_word_for_it() {
    let many = vec![json!({"op": "remove", "path": "title"}); MOST + 1];
    for (operations, status, kind) in [
        (json!({}), 400, Some("invalidSyntax")),
        (json!([1]), 400, Some("invalidSyntax")),
        (json!([{"op": "move", "path": "active", "value": true}]), 400, Some("invalidSyntax")),
        (json!([{"path": "active", "value": true}]), 400, Some("invalidSyntax")),
        (json!([{"op": "replace", "path": "active"}]), 400, Some("invalidSyntax")),
        (json!([{"op": "replace", "value": "False"}]), 400, Some("invalidSyntax")),
        (json!([{"op": "remove"}]), 400, Some("noTarget")),
        (json!([{"op": "add", "path": 7, "value": 1}]), 400, Some("invalidPath")),
        (json!([{"op": "add", "path": "a b", "value": 1}]), 400, Some("invalidPath")),
        (json!([{"op": "add", "path": "username.x", "value": 1}]), 400, Some("invalidPath")),
        (
            json!([{"op": "add", "path": r#"active[value eq "x"]"#, "value": 1}]),
            400,
            Some("invalidPath"),
        ),
        (
            json!([{"op": "add", "path": r#"emails[type ne "x"]"#, "value": {}}]),
            400,
            Some("invalidFilter"),
        ),
        (Value::Array(many), 413, None),
    ] {
        let error = patched(person(), operations.clone()).unwrap_err();
        assert_eq!((error.status, error.kind), (status, kind), "{operations}");
    }
}

#[test]
fn many_members_come_once_and_the_last_word_about_each_counts() {
    let members = |from: usize, to: usize, by: &str| -> Vec<Value> {
        (from..to).map(|id| json!({"value": id.to_string(), "by": by})).collect()
    };
    let mut sent = members(50, 150, "early");
    sent.extend(members(50, 150, "late"));
    let group = json!({"displayname": "A", "members": members(0, 100, "old")});
    let add = json!([{"op": "add", "path": "members", "value": sent}]);
    let changed = patched(group, add).unwrap();
    let mut expected = members(0, 50, "old");
    expected.extend(members(50, 150, "late"));
    assert_eq!(changed["members"], json!(expected));
}

/// A body of a mebibyte must not become gigabytes, nor minutes.
#[test]
fn a_patch_that_is_too_much_work_is_refused() {
    let members: Vec<Value> = (0..5_000).map(|id| json!({"value": id.to_string()})).collect();
    let group = json!({"displayname": "A", "members": members});
    let copies = json!([{"op": "replace", "path": "members[display eq null].x",
        "value": "x".repeat(100_000)}]);
    assert_eq!(patched(group.clone(), copies).unwrap_err().status, 413);
    let select = ["value eq \"a\""; 8].join(" and ");
    let look = json!({"op": "remove", "path": format!("members[{select}]")});
    assert_eq!(patched(group.clone(), json!(vec![look; 300])).unwrap_err().status, 413);
    // What a directory may well send: everybody leaves, one by one.
    let leave = |id: usize| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")});
    let all: Vec<Value> = (0..2_000).map(leave).collect();
    assert_eq!(patched(group, json!(all)).unwrap()["members"].as_array().unwrap().len(), 3_000);
}
