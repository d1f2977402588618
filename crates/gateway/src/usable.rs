//! Which models a caller can use at all (`GET /models/user`): those with an endpoint that its policy
//! permits and that can be called, with the operator's credential or its own.

use std::sync::Arc;

use serde_json::Value;
use signalbox_catalog::listing::{self, ModelsQuery};
use signalbox_catalog::{Lookup, Model, ModelStatus, Snapshot};
use signalbox_policy::router::Router;
use signalbox_policy::rule::{self, Ctx, Lists};
use signalbox_policy::{Requirements, Wanted};

use crate::authenticate::Principal;
use crate::gateway::Gateway;

impl Gateway {
    /// The models that a caller can use, as `GET /models` shows models.
    #[must_use]
    pub fn models_for(&self, caller: &Principal, query: &ModelsQuery) -> Value {
        let (world, now) = (self.world.load(), self.clock.now());
        let request =
            Requirements { account: Arc::clone(&caller.policy), ..Requirements::default() };
        let lists = Lists::new(&request);
        let usable = |model: &Model| is_usable(&world.catalog, &request, &lists, model);
        listing::models_for(&world.catalog, query, now, &usable)
    }
}

/// Whether an endpoint of the model passes every rule. Routers choose among those that do.
fn is_usable(catalog: &Snapshot, request: &Requirements, lists: &Lists<'_>, model: &Model) -> bool {
    if model.status == ModelStatus::Router {
        return Router::from_id(&model.id).is_some();
    }
    let Lookup::Found { model, .. } = catalog.lookup(&model.id) else { return false };
    let (requested, model) = (model.id.clone(), Arc::clone(model));
    let wanted = Wanted { requested, model, sort: None, admits: None };
    let ctx = Ctx::new(catalog, request, &wanted, lists);
    let endpoints = catalog.endpoints(&wanted.model.id);
    endpoints.iter().any(|one| rule::judge(&ctx, one).is_none())
}
