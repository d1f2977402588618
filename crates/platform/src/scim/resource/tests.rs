use super::*;

#[test]
fn a_user_is_read_whatever_the_case_and_truth_may_be_a_text() {
    let read = UserWish::read(json!({
        "schemas": [USER, "urn:example:2.0:User"],
        "UserName": "Ada@Acme.example", "externalId": "00u1", "active": "False",
        "name": {"GivenName": "Ada", "familyName": "", "honorificPrefix": "Dr"},
        "emails": [{"value": "ada@else.example", "primary": "true"}, {"type": "work"}],
        "password": "secret", "groups": [], "urn:example:2.0:User": {"x": [1]},
    }));
    let expected = UserWish {
        external_id: Some("00u1".to_owned()),
        active: Some(false),
        profile: Profile {
            user_name: "Ada@Acme.example".to_owned(),
            name: Some(ProfileName {
                given_name: Some("Ada".to_owned()),
                ..ProfileName::default()
            }),
            display_name: None,
            emails: vec![ProfileEmail {
                value: "ada@else.example".to_owned(),
                kind: None,
                primary: true,
            }],
        },
    };
    assert_eq!(read, Ok(expected.clone()));
    assert_eq!(expected.address("acme.example").as_deref(), Some("ada@acme.example"));
    assert_eq!(expected.address("else.example").as_deref(), Some("ada@else.example"));
    assert_eq!(expected.address("example"), None);
    assert_eq!(expected.address("cme.example"), None);
}

#[test]
fn what_can_not_be_a_user_or_a_group_is_named() {
    let long = "x".repeat(LONGEST + 1);
    for (user, named) in [
        (json!({}), "userName"),
        (json!({"userName": " "}), "userName"),
        (json!({"userName": 7}), "userName"),
        (json!({"userName": "a\u{0}b"}), "userName"),
        (json!({"userName": long}), "userName"),
        (json!({"userName": "a", "active": 1}), "active"),
        (json!({"userName": "a", "name": "Ada"}), "name"),
        (json!({"userName": "a", "name": {"givenName": []}}), "givenName"),
        (json!({"userName": "a", "emails": "x"}), "emails"),
        (json!({"userName": "a", "emails": ["x"]}), "emails"),
        (json!({"userName": "a", "emails": vec![json!({}); MOST_EMAILS + 1]}), "emails"),
    ] {
        let error = UserWish::read(user.clone()).unwrap_err();
        assert_eq!((error.status, error.kind), (400, Some("invalidValue")), "{user}");
        assert!(error.detail.starts_with(named), "{user}: {}", error.detail);
    }
    let members: Vec<Value> =
        (0..=MOST_MEMBERS).map(|one| json!({"value": one.to_string()})).collect();
    for (group, status) in [
        (json!({}), 400),
        (json!({"displayName": "a", "members": ["x"]}), 400),
        (json!({"displayName": "a", "members": [{"display": "x"}]}), 400),
        (json!({"displayName": "a", "members": members}), 413),
    ] {
        assert_eq!(group_wish(group).unwrap_err().status, status);
    }
}

#[test]
fn what_is_edited_reads_back_as_what_it_was() {
    let profile = Profile {
        user_name: "ada".to_owned(),
        name: Some(ProfileName { family_name: Some("B".to_owned()), ..ProfileName::default() }),
        display_name: Some("Ada".to_owned()),
        emails: vec![ProfileEmail {
            value: "ada@acme.example".to_owned(),
            kind: Some("work".to_owned()),
            primary: true,
        }],
    };
    let user = ScimUser {
        id: "1".to_owned(),
        account: signalbox_core::id::AccountId::new("org_1"),
        connection: "c".to_owned(),
        user: signalbox_core::id::UserId::new("user_1"),
        external_id: Some("e".to_owned()),
        active: false,
        profile,
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(2),
    };
    let again = UserWish::of(&editable(&user)).unwrap();
    assert_eq!((again.external_id, again.active), (user.external_id.clone(), Some(false)));
    assert_eq!(again.profile, user.profile);
    let draft = GroupDraft {
        display_name: "A".to_owned(),
        external_id: None,
        members: ["1".to_owned(), "2".to_owned()].into(),
    };
    assert_eq!(group_of(&editable_group(&draft)), Ok(draft));
}
