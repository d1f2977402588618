use bytes::Bytes;
use serde_json::json;
use signalbox_store::workspaces::{WorkspaceDefaults, WorkspaceSettings};

use super::*;

fn default(id: &str, prevent: Value, settings: Value) -> PluginDefault {
    let row = json!({"id": id, "prevent_overrides": prevent, "settings": settings});
    serde_json::from_value(row).unwrap()
}

fn merged(own: Option<Value>, defaults: &[PluginDefault]) -> Option<Value> {
    let own = own.map(|own| own.to_string());
    plugins(own.as_deref(), defaults).map(|text| serde_json::from_str(&text).unwrap())
}

#[test]
fn a_default_applies_to_who_does_not_speak_of_it() {
    let web = [default("web", json!(false), json!({"max_results": 3}))];
    let entry = json!({"id": "web", "enabled": true, "max_results": 3});
    assert_eq!(merged(None, &web), Some(json!([entry])));
    assert_eq!(merged(Some(Value::Null), &web), Some(json!([entry])));
    let other = json!({"id": "moderation"});
    assert_eq!(merged(Some(json!([other])), &web), Some(json!([other, entry])));
    let off = [PluginDefault { enabled: false, ..web[0].clone() }];
    assert_eq!(merged(None, &off), Some(json!([])), "one that is off applies to nobody");
    assert_eq!(merged(Some(json!([other])), &[]), None);
    assert_eq!(merged(Some(json!("web")), &web), None, "for the survey to refuse");
}

#[test]
fn a_request_wins_unless_overrides_are_prevented() {
    let own = [json!({"id": "web", "enabled": false}), json!({"id": "web", "max_results": 9})];
    for own in own {
        let web = [default("web", json!(false), json!({"max_results": 3}))];
        assert_eq!(merged(Some(json!([own])), &web), Some(json!([own])), "as a whole");
        let web = [default("web", json!(true), json!({"max_results": 3}))];
        let entry = json!({"id": "web", "enabled": true, "max_results": 3});
        assert_eq!(merged(Some(json!([own])), &web), Some(json!([entry])));
        assert_eq!(merged(Some(json!([own, own])), &web), Some(json!([entry])), "once");
        let off = [PluginDefault { enabled: false, ..web[0].clone() }];
        let entry = json!({"id": "web", "enabled": false, "max_results": 3});
        assert_eq!(merged(Some(json!([own])), &off), Some(json!([entry])), "finally off");
        assert_eq!(merged(None, &off), Some(json!([entry])));
    }
}

#[test]
fn settings_of_routers_are_joined_one_by_one() {
    let saved = json!({"allowed_models": ["a/*"], "cost_tier": "low"});
    let auto = [default("auto-router", json!(false), saved.clone())];
    let own = json!({"id": "auto-router", "cost_tier": "max"});
    let expected = json!({"id": "auto-router", "allowed_models": ["a/*"], "cost_tier": "max"});
    assert_eq!(merged(Some(json!([own])), &auto), Some(json!([expected])));
    let off = json!({"id": "auto-router", "enabled": false});
    assert_eq!(merged(Some(json!([off])), &auto), Some(json!([off])));

    let fields = json!(["allowed_models", "excluded_models"]);
    let auto = [default("auto-router", fields, saved)];
    let own = json!({"id": "auto-router", "allowed_models": ["b/*"], "excluded_models": ["c/*"],
        "cost_tier": "max"});
    let expected = json!({"id": "auto-router", "allowed_models": ["a/*"], "cost_tier": "max"});
    assert_eq!(merged(Some(json!([own])), &auto), Some(json!([expected])));
    let expected = json!({"id": "auto-router", "allowed_models": ["a/*"]});
    assert_eq!(merged(Some(json!([off])), &auto), Some(json!([expected])), "what is final stays");
}

fn around(plugins: Vec<PluginDefault>) -> KeyPolicy {
    KeyPolicy {
        workspace: WorkspaceSettings {
            default_text_model: Some("a/text".to_owned()),
            default_image_model: Some("a/image".to_owned()),
            ..WorkspaceSettings::default()
        },
        defaults: WorkspaceDefaults { plugins, ..WorkspaceDefaults::default() },
        ..KeyPolicy::default()
    }
}

#[test]
fn what_is_saved_for_one_auto_router_is_for_both() {
    assert!(Defaults::of(&KeyPolicy::default()).is_none());
    let auto = default("auto-router", json!(true), json!({"cost_tier": "low"}));
    let defaults = Defaults::of(&around(vec![auto.clone()])).unwrap();
    let ids: Vec<&str> = defaults.plugins.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["auto-router", "auto-beta-router"]);
    assert_eq!(defaults.plugins[1].settings, auto.settings);
    let beta = default("auto-beta-router", json!(false), json!({}));
    assert_eq!(Defaults::of(&around(vec![auto, beta])).unwrap().plugins.len(), 2);
}

#[test]
fn a_request_that_names_no_model_gets_the_one_for_its_kind() {
    let defaults = Defaults::of(&around(Vec::new())).unwrap();
    let model = |body: Value| {
        let document = Document::parse(Bytes::from(body.to_string())).unwrap();
        defaults.model(&document).map(str::to_owned)
    };
    assert_eq!(model(json!({})).as_deref(), Some("a/text"));
    assert_eq!(model(json!({"model": null, "models": []})).as_deref(), Some("a/text"));
    assert_eq!(model(json!({"modalities": ["text", "image"]})).as_deref(), Some("a/image"));
    assert_eq!(model(json!({"model": "b/c"})), None);
    assert_eq!(model(json!({"models": ["b/c"]})), None);
}
