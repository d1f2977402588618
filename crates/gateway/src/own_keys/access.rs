//! What an own key's credential becomes: roads to its provider, made when they are first used.

use std::sync::{Arc, Mutex, PoisonError};

use signalbox_catalog::{Dialect, Endpoint, Model, Provider};
use signalbox_core::Secret;
use signalbox_dialect::WireDialect;
use signalbox_policy::{ByokKey, Candidate, Failure, pattern};
use signalbox_upstream::credential::Part;
use signalbox_upstream::{Credential, CredentialError};

use crate::retrieval::Form;
use crate::world::{self, Road, World};

/// How calls are made with one version of one own key.
#[derive(Debug)]
pub(crate) struct Access {
    /// What tells it from every other one: account, key and version.
    pub seat: String,
    credential: Result<Credential, CredentialError>,
    roads: Made<WireDialect>,
    forms: Made<Form>,
}

/// What one road is for.
type Place = (Dialect, Part);

/// The roads that were made, for as long as the provider's row is the same. No more than there are
/// parts of the credential and dialects of the provider.
#[derive(Debug)]
struct Made<D>(Mutex<Roads<D>>);

#[derive(Debug)]
struct Roads<D> {
    row: Option<Arc<Provider>>,
    made: Vec<(Place, Arc<Road<D>>)>,
}

impl<D> Default for Made<D> {
    fn default() -> Self {
        Self(Mutex::new(Roads { row: None, made: Vec::new() }))
    }
}

impl Access {
    pub(crate) fn new(seat: String, secret: &Secret<String>) -> Self {
        let credential = Credential::parse(secret);
        if let Err(error) = &credential {
            tracing::warn!(seat, %error, "an own key can't be used");
        }
        Self { seat, credential, roads: Made::default(), forms: Made::default() }
    }

    /// The routing of the key with what its credential says. One that can't be read stays: shared
    /// capacity must not stand in for a key that is to be used always.
    pub(crate) fn completes(&self, routing: ByokKey) -> ByokKey {
        let credential = self.credential.as_ref().ok();
        ByokKey {
            id: self.seat.clone(),
            region: credential.and_then(|one| one.region()).map(str::to_owned),
            addressed: credential.is_some_and(Credential::is_addressed),
            deployed: credential.and_then(Credential::deployed),
            ..routing
        }
    }

    pub(crate) fn road(&self, world: &World, one: &Candidate) -> Result<Arc<Road>, Failure> {
        self.roads.get(self, world, one, world::wire)
    }

    pub(crate) fn form(&self, world: &World, one: &Candidate) -> Result<Arc<Road<Form>>, Failure> {
        self.forms.get(self, world, one, Form::of)
    }

    fn part(&self, dialect: Dialect, model: &Model) -> Result<(&Credential, Part), Failure> {
        let unreadable = |error: CredentialError| Failure::unsent(error.to_string());
        let credential = self.credential.as_ref().map_err(|error| unreadable(*error))?;
        let part = credential.part(dialect, &|slug| pattern::names(slug, model));
        Ok((credential, part.map_err(unreadable)?))
    }
}

impl<D: Copy> Made<D> {
    fn get(
        &self,
        access: &Access,
        world: &World,
        one: &Candidate,
        codec: impl Fn(Dialect) -> Option<D>,
    ) -> Result<Arc<Road<D>>, Failure> {
        let dialect = spoken(world, &one.endpoint)?;
        let (credential, part) = access.part(dialect, &one.model)?;
        let mut roads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !roads.row.as_ref().is_some_and(|row| Arc::ptr_eq(row, &one.provider)) {
            *roads = Roads { row: Some(Arc::clone(&one.provider)), made: Vec::new() };
        }
        if let Some((_, road)) = roads.made.iter().find(|(place, _)| *place == (dialect, part)) {
            return Ok(Arc::clone(road));
        }
        let codec = codec(dialect).ok_or_else(not_spoken)?;
        let road = World::own_road(&one.provider, dialect, codec, credential, part);
        let road = Arc::new(road.map_err(|error| Failure::unsent(error.problem))?);
        roads.made.push(((dialect, part), Arc::clone(&road)));
        Ok(road)
    }
}

fn spoken(world: &World, endpoint: &Endpoint) -> Result<Dialect, Failure> {
    world.catalog.speaks(endpoint).map(|speaks| speaks.dialect).ok_or_else(not_spoken)
}

fn not_spoken() -> Failure {
    Failure::unsent("the provider is not spoken to")
}
