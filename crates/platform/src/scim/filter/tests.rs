use super::*;

fn text(name: &str, value: &str) -> Comparison {
    let attribute = Attribute { schema: None, name: name.to_owned(), sub: None };
    Comparison { attribute, literal: Literal::Text(value.to_owned()) }
}

#[test]
fn what_directories_ask_for_is_read() {
    for (asked, expected) in [
        (r#"userName eq "ada@acme.example""#, vec![text("username", "ada@acme.example")]),
        (r#"USERNAME EQ "a \"b\" \\ c""#, vec![text("username", r#"a "b" \ c"#)]),
        (r#" externalId eq "x" and  id eq "y" "#, vec![text("externalid", "x"), text("id", "y")]),
        (r#"displayName eq "and eq or""#, vec![text("displayname", "and eq or")]),
        (r#"userName eq "é\u00fc😀""#, vec![text("username", "éü😀")]),
    ] {
        assert_eq!(filter(asked).as_ref(), Ok(&expected), "{asked}");
    }
    let found = filter(r#"urn:ietf:params:scim:schemas:core:2.0:User:name.givenName eq "A""#);
    let found = &found.unwrap()[0].attribute;
    assert_eq!((found.name.as_str(), found.sub.as_deref()), ("name", Some("givenname")));
    assert_eq!(found.schema.as_deref(), Some("urn:ietf:params:scim:schemas:core:2.0:user"));
    assert_eq!(filter("active eq true").unwrap()[0].literal, Literal::Truth(true));
    assert_eq!(filter("active eq False").unwrap()[0].literal, Literal::Truth(false));
    assert_eq!(filter("a eq -1.5e3").unwrap()[0].literal, Literal::Number("-1.5e3".to_owned()));
    assert_eq!(filter("a eq null").unwrap()[0].literal, Literal::Null);
}

#[test]
fn other_filters_are_refused_by_name() {
    let long = format!("userName eq \"{}\"", "x".repeat(LONGEST));
    let many = [r#"id eq "1""#; MOST + 1].join(" and ");
    for asked in [
        "",
        " ",
        "userName",
        "userName eq",
        "userName eq ",
        r#"userName eq"x""#,
        r#"userName sw "a""#,
        r#"userName pr"#,
        r#"not (userName eq "a")"#,
        r#"userName eq "a" or userName eq "b""#,
        r#"(userName eq "a")"#,
        r#"userName eq "a"#,
        r#"userName eq 'a'"#,
        r#"userName eq a"#,
        r#"userName eq "a" and"#,
        r#"userName eq "a" userName eq "b""#,
        r#"userName eq "a"]"#,
        r#"user name eq "a""#,
        r#"emails[type eq "work"].value eq "a""#,
        "a eq NaN",
        "a eq inf",
        r#"ü eq "a""#,
        r#"a..b eq "c""#,
        r#"userName eq "\ud800""#,
        &long,
        &many,
    ] {
        let error = filter(asked).unwrap_err();
        assert_eq!((error.status, error.kind), (400, Some("invalidFilter")), "{asked}");
    }
}

#[test]
fn paths_of_patches_are_read() {
    let read = |asked: &str| path(asked).unwrap();
    assert_eq!(read("active").attribute.name, "active");
    assert_eq!(read("name.givenName").attribute.sub.as_deref(), Some("givenname"));
    let member = read(r#"members[value eq "2819c223"]"#);
    assert_eq!(member.select, Some(vec![text("value", "2819c223")]));
    let email = read(r#"emails[type eq "work" and primary eq true].value"#);
    assert_eq!(email.attribute.sub.as_deref(), Some("value"));
    assert_eq!(email.select.unwrap().len(), 2);
    let extended = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
    assert_eq!(read(extended).attribute.name, "manager");
    let whole = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    assert_eq!(read(whole).attribute.name, "user");
    for asked in [
        "",
        "[",
        "members[",
        "members[]",
        r#"members[value eq "a""#,
        "members]",
        "a b",
        "a.b.c",
        r#"members[value eq "a"]x"#,
        r#"members[value eq "a"]."#,
        r#"members[value eq "a"].b.c"#,
        r#"a.b[value eq "a"]"#,
        r#"members[value ne "a"]"#,
        "😀",
        r#"members[value eq "a"][value eq "b"]"#,
    ] {
        let error = path(asked).unwrap_err();
        assert!(matches!(error.kind, Some("invalidPath" | "invalidFilter")), "{asked}");
    }
}

/// Every mutilation of what is good is read or refused; nothing panics.
#[test]
fn mutilated_filters_and_paths_do_no_harm() {
    let good = [
        r#"userName eq "a\"é" and externalId eq "x""#,
        r#"emails[type eq "work"].value"#,
        "urn:ietf:params:scim:schemas:core:2.0:User:name.familyName",
    ];
    let odd = ["\"", "\\", "[", "]", ".", ":", " ", "é", "\u{0}", "eq", "and", "(", "1e999"];
    let mut tried = 0;
    for text in good {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for &from in &places {
            for &to in places.iter().filter(|to| **to >= from) {
                for piece in odd.into_iter().chain([""]) {
                    let mutilated = format!("{}{piece}{}", &text[..from], &text[to..]);
                    drop((filter(&mutilated), path(&mutilated)));
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}
