//! Guardrails as tests set them: as rows, with nobody's leave.

use serde_json::Value;
use signalbox_guard::Guardrail;
use signalbox_store::guardrails::Assignees;
use signalbox_store::{Actor, By, GuardrailRecord};

use crate::TestServer;

impl TestServer {
    /// Gives the owner's API key a guardrail with these rules, the members of the public object.
    ///
    /// # Panics
    /// When they are none.
    pub async fn guard(&self, rules: Value) {
        let rules: Guardrail = serde_json::from_value(rules).expect("the rules of a guardrail");
        let (store, account) = (self.platform.store(), self.owner.account_id.clone());
        let actor = Actor::Operator("test".to_owned());
        let by = By { account: account.clone(), actor, address: None };
        let unset = GuardrailRecord {
            id: "grd-1".to_owned(),
            account: account.clone(),
            workspace: None,
            name: "Test".to_owned(),
            description: None,
            rules: Guardrail::default(),
            limit: None,
            reset_interval: None,
            include_byok: false,
            created_at: store.clock().now(),
            updated_at: None,
        };
        let (id, key) = (unset.id.clone(), signalbox_platform::keys::hash_of(&self.owner.api_key));
        let edit = move |one: &mut GuardrailRecord| one.rules = rules;
        let made = store.edit_guardrail(by.clone(), id.clone(), Some(unset), edit).await;
        made.expect("a guardrail");
        let keys = vec![key.to_string()];
        let assigned = store.assign_guardrail(by, id, Assignees::Keys, keys).await;
        assert_eq!(assigned.expect("an assignment"), Some(1));
        self.renew(&account).await;
    }
}
