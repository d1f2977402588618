use std::collections::HashSet;

use super::*;

/// The names in braces.
fn parameters(path: &str) -> Vec<&str> {
    let parts = path.split('/').filter_map(|part| part.strip_prefix('{'));
    parts.filter_map(|part| part.strip_suffix('}')).collect()
}

#[test]
fn every_route_is_there_once() {
    let mut seen = HashSet::new();
    for route in routes() {
        assert!(seen.insert((route.verb, route.path)), "{:?} {} twice", route.verb, route.path);
    }
    assert!(seen.len() >= 36, "{}", seen.len());
}

/// What a tenant owns is never open to everybody: a parameter of a path that needs a key is the id of
/// something, and says of what.
/// Parameters that are the same words for every tenant.
const NOBODYS: [&str; 3] = ["interval", "name", "version"];

#[test]
fn every_parameter_of_a_tenants_path_says_what_it_names() {
    for route in routes() {
        let named: Vec<&str> = route
            .objects
            .iter()
            .filter_map(|(_, place)| match place {
                Place::Path(name) => Some(*name),
                Place::Query(_) | Place::Body(_) => None,
            })
            .collect();
        match route.credential {
            Credential::None | Credential::Optional | Credential::Signature => {
                assert!(route.objects.is_empty(), "{} is open", route.path);
            }
            Credential::Any
            | Credential::Inference
            | Credential::Management
            | Credential::Session
            | Credential::Directory
            | Credential::InferenceOrSession => {
                let mut parameters = parameters(route.path);
                parameters.retain(|one| !NOBODYS.contains(one));
                assert_eq!(parameters, named, "{}", route.path);
            }
        }
    }
}

/// Whoever asks again because an answer got lost pays once. The card processor names its events.
#[test]
fn what_moves_money_says_what_becomes_of_it_when_it_is_sent_again() {
    for route in routes() {
        let path = route.path;
        let repeats = route.verb == Verb::Post && route.again == Again::Another;
        let named = matches!(route.credential, Credential::Signature);
        assert!(!repeats || !route.moves_money || named, "{path} may move money twice");
        assert!(route.again == Again::Another || route.verb == Verb::Post, "{path}");
        let kept = matches!(route.again, Again::InCommit | Again::Sealed | Again::Outside);
        assert!(!kept || route.credential == Credential::Management, "{path}: whose key is it?");
        assert_eq!(route.again == Again::OnRequest, route.reaches_provider, "{path}");
    }
}

#[test]
fn what_reads_moves_no_money_and_what_reaches_a_provider_has_a_key() {
    for route in routes() {
        let path = route.path;
        assert!(route.verb != Verb::Get || !route.moves_money, "GET {path} moves money");
        assert!(!route.reaches_provider || route.moves_money, "{path} is free");
        let keyed = matches!(route.credential, Credential::Inference | Credential::Session);
        assert!(!route.reaches_provider || keyed, "{path} is open");
    }
}
