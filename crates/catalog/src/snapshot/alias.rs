//! What a moving alias stands for: the newest visible model of its family (inference spec 8.6).
//!
//! The row of an alias names a target. Other members of the family are the models of the same author
//! whose names have the same words, whatever their versions: so a hidden target gives way to the one
//! before it, and a newer model that the operator adds takes over.

use std::collections::HashMap;

use crate::model::{Modality, ModelStatus};
use crate::{CatalogueError, Model};

/// Points every alias to its model.
///
/// # Errors
/// An alias whose target is no row at all. One without any eligible model stays, and stands for
/// nothing that can be called.
pub(super) fn resolve(models: &mut [Model]) -> Result<(), CatalogueError> {
    let known: HashMap<&str, &Model> = models.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut targets = Vec::new();
    for (at, alias) in models.iter().enumerate() {
        let ModelStatus::Alias { target } = &alias.status else { continue };
        let Some(named) = known.get(target.as_str()).filter(|one| is_concrete(one)) else {
            let row = format!("model {:?}", alias.id);
            return Err(CatalogueError::new(row, "status.alias.target", "no such concrete model"));
        };
        let family = Family::of(alias);
        let members = models.iter().filter(|one| family.has(one)).chain([*named]);
        let newest =
            members.filter(|one| is_eligible(one)).max_by_key(|one| (one.created, &one.id));
        if let Some(newest) = newest.filter(|one| one.id != *target) {
            targets.push((at, newest.id.clone()));
        }
    }
    for (at, target) in targets {
        if let Some(alias) = models.get_mut(at) {
            alias.status = ModelStatus::Alias { target };
        }
    }
    Ok(())
}

const fn is_concrete(model: &Model) -> bool {
    matches!(model.status, ModelStatus::Live | ModelStatus::Retired)
}

/// Whether an alias may stand for the model.
pub(super) fn is_eligible(model: &Model) -> bool {
    model.status == ModelStatus::Live && model.public
}

/// Words that say nothing about the family.
const FILLERS: [&str; 2] = ["latest", "preview"];

struct Family<'a> {
    author: &'a str,
    /// Parts of the name without a digit.
    words: Vec<&'a str>,
    /// Versions that the alias itself names.
    versions: Vec<&'a str>,
}

impl<'a> Family<'a> {
    fn of(model: &'a Model) -> Self {
        let name = model.base.split_once('/').map_or(model.base.as_str(), |(_, name)| name);
        let pieces = name.split('-').filter(|piece| !FILLERS.contains(piece));
        let (versions, words) = pieces.partition(|one| one.contains(|c: char| c.is_ascii_digit()));
        Self { author: &model.author, words, versions }
    }

    fn has(&self, model: &Model) -> bool {
        if model.author != self.author
            || model.variant != "standard"
            || !model.writes(Modality::Text)
            || !is_concrete(model)
        {
            return false;
        }
        let other = Family::of(model);
        other.words == self.words && self.versions.iter().all(|one| other.versions.contains(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(id: &str, created: i64) -> Model {
        Model { created, ..Model::bare(id, 1000) }
    }

    fn target_of(mut models: Vec<Model>, alias: &str, target: &str) -> String {
        let status = ModelStatus::Alias { target: target.to_owned() };
        models.push(Model { status, ..model(alias, 0) });
        resolve(&mut models).unwrap();
        match &models.last().unwrap().status {
            ModelStatus::Alias { target } => target.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn acme() -> Vec<Model> {
        vec![
            model("acme/bird-1", 1),
            model("acme/bird-2-0731", 2),
            model("acme/bird-2-fast", 3),
            model("acme/bird-2-mini", 4),
            model("other/bird-9", 9),
        ]
    }

    #[test]
    fn an_alias_is_the_newest_of_its_family() {
        assert_eq!(target_of(acme(), "~acme/bird-latest", "acme/bird-1"), "acme/bird-2-0731");
        assert_eq!(target_of(acme(), "~acme/bird-mini-latest", "acme/bird-1"), "acme/bird-2-mini");
        // A version in the alias itself has to be there.
        assert_eq!(target_of(acme(), "~acme/bird-1-latest", "acme/bird-1"), "acme/bird-1");
        // What the row names is a member whatever it is called.
        assert_eq!(target_of(acme(), "~acme/bird-latest", "acme/bird-2-mini"), "acme/bird-2-mini");
    }

    #[test]
    fn an_alias_never_stands_for_a_hidden_or_a_retired_model() {
        let mut models = acme();
        models[1].public = false;
        assert_eq!(target_of(models, "~acme/bird-latest", "acme/bird-2-0731"), "acme/bird-1");
        let mut models = acme();
        models[1].status = ModelStatus::Retired;
        assert_eq!(target_of(models, "~acme/bird-latest", "acme/bird-2-0731"), "acme/bird-1");
    }

    #[test]
    fn an_alias_of_nothing_and_an_alias_of_an_alias_are_refused() {
        let status = |target: &str| ModelStatus::Alias { target: target.to_owned() };
        let one = Model { status: status("acme/none"), ..model("~acme/a-latest", 0) };
        assert!(resolve(&mut [one]).is_err());
        let mut two = [
            Model { status: status("acme/bird-1"), ..model("~acme/a-latest", 0) },
            Model { status: status("~acme/a-latest"), ..model("~acme/b-latest", 0) },
            model("acme/bird-1", 1),
        ];
        assert!(resolve(&mut two).is_err());
    }
}
