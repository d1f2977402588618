//! The rows. A new route is one here and nowhere else.

use axum::routing::on;
use serde_json::{Map, Value};
use signalbox_platform::people::leak::{LeakReport, Noted};
use signalbox_platform::purchase::body::{
    CheckoutBody, InvoiceBody, PurchaseBody, PurchasesBody, RefundBody, RuleBody, TaxIdBody,
};
use signalbox_platform::statement::Statement;
use signalbox_platform::v1::audit_log::{Act, ListActs};
use signalbox_platform::v1::credits::{Redeemed, Transferred};
use signalbox_platform::v1::keys::RotateKey;
use signalbox_platform::v1::privacy::PrivacyObject;
use signalbox_platform::v1::rules::RulesWish;
use signalbox_platform::v1::{Data, Deleted, Page};

use super::{Again, Credential, Members, Object, Place, Route, delete, get, patch, post, put};
use crate::inference::CountedTokens;
use crate::v1::credits::{RedeemRequest, StatementQuery, TransferRequest};
use crate::v1::purchases::{CheckoutRequest, ClaimRequest, RuleRequest, TaxIdRequest};
use crate::v1::routing::PlanQuery;
use crate::{inference, router, v1, webhooks};

mod allowlist;
mod app;
mod byok;
mod directory;
mod management_keys;
mod people;
mod presets;
mod sign_in;

use Again::{InCommit, Outside, Sealed};
use Credential::{Any, Inference, Management, None, Optional, Signature};
use Members::Own;

/// All of them.
pub(super) const TABLES: &[&[Route]] = &[
    INFERENCE,
    CATALOGUE,
    ACCOUNT,
    CREDITS,
    PURCHASES,
    KEYS,
    WORKSPACES,
    GUARDRAILS,
    byok::ROUTES,
    allowlist::ROUTES,
    people::ROUTES,
    management_keys::ROUTES,
    presets::ROUTES,
    sign_in::ROUTES,
    directory::ROUTES,
    app::ROUTES,
    HOUSE,
];

const INFERENCE: &[Route] = &[
    post("/api/v1/chat/completions", Inference, |verb| on(verb, inference::chat))
        .reaches_provider(),
    post("/api/v1/cursor/chat/completions", Inference, |verb| on(verb, inference::cursor))
        .reaches_provider()
        .like("/chat/completions"),
    post("/api/v1/completions", Inference, |verb| on(verb, inference::completions))
        .reaches_provider()
        .takes::<Map<String, Value>>()
        .gives::<Map<String, Value>>(200),
    post("/api/v1/messages", Inference, |verb| on(verb, inference::messages)).reaches_provider(),
    post("/api/v1/responses", Inference, |verb| on(verb, inference::responses)).reaches_provider(),
    post("/api/v1/embeddings", Inference, |verb| on(verb, inference::embeddings))
        .reaches_provider(),
    post("/api/v1/rerank", Inference, |verb| on(verb, inference::rerank)).reaches_provider(),
    post("/api/v1/messages/count_tokens", Any, |verb| on(verb, inference::count_tokens))
        .takes::<Map<String, Value>>()
        .gives::<CountedTokens>(200),
    post("/api/v1/routing/plan", Any, |verb| on(verb, v1::routing::plan))
        .asks::<PlanQuery>()
        .takes::<Map<String, Value>>()
        .gives::<Data<Map<String, Value>>>(200),
];

const CATALOGUE: &[Route] = &[
    get("/api/v1/openapi.json", None, |verb| on(verb, v1::openapi::document))
        .gives::<Map<String, Value>>(200),
    get("/api/v1/models", None, |verb| on(verb, v1::models::list)),
    get("/api/v1/cursor/models", None, |verb| on(verb, v1::models::list)).like("/models"),
    get("/api/v1/models/count", None, |verb| on(verb, v1::models::count)),
    get("/api/v1/models/{author}/{slug}/endpoints", Optional, |verb| {
        on(verb, v1::models::endpoints)
    }),
    get("/api/v1/model/{author}/{slug}", None, |verb| on(verb, v1::models::one)),
    get("/api/v1/embeddings/models", None, |verb| on(verb, v1::models::embeddings)),
    get("/api/v1/endpoints/zdr", Optional, |verb| on(verb, v1::models::zdr)),
    get("/api/v1/providers", None, |verb| on(verb, v1::providers::list)),
];

const ACCOUNT: &[Route] = &[
    get("/api/v1/key", Any, |verb| on(verb, v1::account::key)),
    get("/api/v1/generation", Any, |verb| on(verb, v1::account::generation))
        .names(&[(Object::Generation, Place::Query("id"))]),
    get("/api/v1/audit-log", Management, |verb| on(verb, v1::account::audit_log))
        .asks::<ListActs>()
        .gives::<Data<Vec<Act>>>(200),
    get("/api/v1/credits", Management, |verb| on(verb, v1::account::credits)),
];

const KEY: &[(Object, Place)] = &[(Object::Key, Place::Path("hash"))];

const KEYS: &[Route] = &[
    get("/api/v1/keys", Management, |verb| on(verb, v1::keys::list))
        .members(Own)
        .names(&[(Object::Workspace, Place::Query("workspace_id"))]),
    post("/api/v1/keys", Management, |verb| on(verb, v1::keys::create))
        .members(Own)
        .names(&[
            (Object::Workspace, Place::Body("workspace_id")),
            (Object::User, Place::Body("creator_user_id")),
        ])
        .once(Sealed),
    get("/api/v1/keys/{hash}", Management, |verb| on(verb, v1::keys::one)).members(Own).names(KEY),
    patch("/api/v1/keys/{hash}", Management, |verb| on(verb, v1::keys::update))
        .members(Own)
        .names(KEY),
    delete("/api/v1/keys/{hash}", Management, |verb| on(verb, v1::keys::delete))
        .members(Own)
        .names(KEY),
    post("/api/v1/keys/{hash}/rotate", Management, |verb| on(verb, v1::keys::rotate))
        .members(Own)
        .names(KEY)
        .once(Sealed)
        .takes::<RotateKey>()
        .gives::<Map<String, Value>>(201),
    post("/api/v1/leaked-keys", None, |verb| on(verb, v1::keys::leaked))
        .takes::<LeakReport>()
        .gives::<Noted>(202),
];

const WORKSPACE: &[(Object, Place)] = &[(Object::Workspace, Place::Path("id"))];
const PEOPLE: &[(Object, Place)] =
    &[(Object::Workspace, Place::Path("id")), (Object::User, Place::Body("user_ids"))];

const WORKSPACES: &[Route] = &[
    get("/api/v1/workspaces", Management, |verb| on(verb, v1::workspaces::list)).members(Own),
    post("/api/v1/workspaces", Management, |verb| on(verb, v1::workspaces::create)),
    get("/api/v1/workspaces/{id}", Management, |verb| on(verb, v1::workspaces::one))
        .members(Own)
        .names(WORKSPACE),
    patch("/api/v1/workspaces/{id}", Management, |verb| on(verb, v1::workspaces::update))
        .names(WORKSPACE),
    delete("/api/v1/workspaces/{id}", Management, |verb| on(verb, v1::workspaces::delete))
        .names(WORKSPACE),
    get("/api/v1/workspaces/{id}/members", Management, |verb| on(verb, v1::workspaces::members))
        .names(WORKSPACE),
    post("/api/v1/workspaces/{id}/members/add", Management, |verb| {
        on(verb, v1::workspaces::add_members)
    })
    .names(PEOPLE),
    post("/api/v1/workspaces/{id}/members/remove", Management, |verb| {
        on(verb, v1::workspaces::remove_members)
    })
    .names(PEOPLE),
    get("/api/v1/workspaces/{id}/budgets", Management, |verb| on(verb, v1::workspaces::budgets))
        .members(Own)
        .names(WORKSPACE),
    get("/api/v1/workspaces/{id}/budgets/{interval}", Management, |verb| {
        on(verb, v1::workspaces::budget)
    })
    .members(Own)
    .names(WORKSPACE),
    put("/api/v1/workspaces/{id}/budgets/{interval}", Management, |verb| {
        on(verb, v1::workspaces::put_budget)
    })
    .names(WORKSPACE),
    delete("/api/v1/workspaces/{id}/budgets/{interval}", Management, |verb| {
        on(verb, v1::workspaces::delete_budget)
    })
    .names(WORKSPACE),
];

const GUARDRAIL: &[(Object, Place)] = &[(Object::Guardrail, Place::Path("id"))];
const GUARDED_KEYS: &[(Object, Place)] =
    &[(Object::Guardrail, Place::Path("id")), (Object::Key, Place::Body("key_hashes"))];
const GUARDED_MEMBERS: &[(Object, Place)] =
    &[(Object::Guardrail, Place::Path("id")), (Object::User, Place::Body("member_user_ids"))];

const GUARDRAILS: &[Route] = &[
    get("/api/v1/guardrails", Management, |verb| on(verb, v1::guardrails::list))
        .names(&[(Object::Workspace, Place::Query("workspace_id"))]),
    post("/api/v1/guardrails", Management, |verb| on(verb, v1::guardrails::create))
        .names(&[(Object::Workspace, Place::Body("workspace_id"))]),
    get("/api/v1/guardrails/{id}", Management, |verb| on(verb, v1::guardrails::one))
        .names(GUARDRAIL),
    patch("/api/v1/guardrails/{id}", Management, |verb| on(verb, v1::guardrails::update))
        .names(GUARDRAIL),
    delete("/api/v1/guardrails/{id}", Management, |verb| on(verb, v1::guardrails::delete))
        .names(GUARDRAIL),
    get("/api/v1/guardrails/assignments/keys", Management, |verb| {
        on(verb, v1::guardrails::all_keys)
    }),
    get("/api/v1/guardrails/assignments/members", Management, |verb| {
        on(verb, v1::guardrails::all_members)
    }),
    get("/api/v1/guardrails/{id}/assignments/keys", Management, |verb| {
        on(verb, v1::guardrails::keys)
    })
    .names(GUARDRAIL),
    get("/api/v1/guardrails/{id}/assignments/members", Management, |verb| {
        on(verb, v1::guardrails::members)
    })
    .names(GUARDRAIL),
    post("/api/v1/guardrails/{id}/assignments/keys", Management, |verb| {
        on(verb, v1::guardrails::assign_keys)
    })
    .names(GUARDED_KEYS),
    post("/api/v1/guardrails/{id}/assignments/keys/remove", Management, |verb| {
        on(verb, v1::guardrails::unassign_keys)
    })
    .names(GUARDED_KEYS),
    post("/api/v1/guardrails/{id}/assignments/members", Management, |verb| {
        on(verb, v1::guardrails::assign_members)
    })
    .names(GUARDED_MEMBERS),
    post("/api/v1/guardrails/{id}/assignments/members/remove", Management, |verb| {
        on(verb, v1::guardrails::unassign_members)
    })
    .names(GUARDED_MEMBERS),
    get("/api/v1/privacy", Management, |verb| on(verb, v1::guardrails::privacy))
        .gives::<Data<PrivacyObject>>(200),
    patch("/api/v1/privacy", Management, |verb| on(verb, v1::guardrails::update_privacy))
        .takes::<RulesWish>()
        .gives::<Data<PrivacyObject>>(200),
];

const CREDITS: &[Route] = &[
    post("/api/v1/credits/coinbase", None, |verb| on(verb, v1::credits::coinbase)),
    post("/api/v1/credits/redeem", Management, |verb| on(verb, v1::credits::redeem))
        .moves_money()
        .once(InCommit)
        .takes::<RedeemRequest>()
        .gives::<Data<Redeemed>>(200),
    post("/api/v1/credits/transfer", Management, |verb| on(verb, v1::credits::transfer))
        .names(&[(Object::Account, Place::Body("account_id"))])
        .moves_money()
        .once(InCommit)
        .takes::<TransferRequest>()
        .gives::<Data<Transferred>>(200),
    get("/api/v1/credits/statement", Management, |verb| on(verb, v1::credits::statement))
        .asks::<StatementQuery>()
        .gives::<Data<Statement>>(200),
];

const PURCHASES: &[Route] = &[
    post("/api/v1/credits/checkout", Management, |verb| on(verb, v1::purchases::checkout))
        .moves_money()
        .once(Outside)
        .takes::<CheckoutRequest>()
        .gives::<Data<CheckoutBody>>(200),
    get("/api/v1/credits/purchases", Management, |verb| on(verb, v1::purchases::list))
        .asks::<Page>()
        .gives::<PurchasesBody>(200),
    post("/api/v1/credits/purchases/{id}/refund", Management, |verb| {
        on(verb, v1::purchases::refund)
    })
    .names(&[(Object::Payment, Place::Path("id"))])
    .moves_money()
    .once(Outside)
    .gives::<Data<RefundBody>>(200),
    post("/api/v1/credits/purchases/{id}/reconcile", Management, |verb| {
        on(verb, v1::purchases::reconcile)
    })
    .names(&[(Object::Payment, Place::Path("id"))])
    .moves_money()
    .once(Outside)
    .gives::<Data<PurchaseBody>>(200),
    post("/api/v1/credits/crypto", Management, |verb| on(verb, v1::purchases::claim))
        .names(&[(Object::Payment, Place::Body("payment_id"))])
        .moves_money()
        .once(Outside)
        .takes::<ClaimRequest>()
        .gives::<Data<PurchaseBody>>(200),
    get("/api/v1/credits/auto-top-up", Management, |verb| on(verb, v1::purchases::rule))
        .gives::<Data<Option<RuleBody>>>(200),
    put("/api/v1/credits/auto-top-up", Management, |verb| on(verb, v1::purchases::set_rule))
        .takes::<RuleRequest>()
        .gives::<Data<RuleBody>>(200),
    delete("/api/v1/credits/auto-top-up", Management, |verb| on(verb, v1::purchases::drop_rule))
        .gives::<Deleted>(200),
    get("/api/v1/credits/tax-ids", Management, |verb| on(verb, v1::purchases::tax_ids))
        .gives::<Data<Vec<TaxIdBody>>>(200),
    post("/api/v1/credits/tax-ids", Management, |verb| on(verb, v1::purchases::add_tax_id))
        .once(Outside)
        .takes::<TaxIdRequest>()
        .gives::<Data<TaxIdBody>>(200),
    delete("/api/v1/credits/tax-ids/{id}", Management, |verb| {
        on(verb, v1::purchases::remove_tax_id)
    })
    .names(&[(Object::TaxId, Place::Path("id"))])
    .gives::<Deleted>(200),
    get("/api/v1/credits/invoices", Management, |verb| on(verb, v1::purchases::invoices))
        .gives::<Data<Vec<InvoiceBody>>>(200),
    post("/webhooks/stripe", Signature, |verb| on(verb, webhooks::stripe))
        .moves_money()
        .takes::<Map<String, Value>>()
        .gives::<Map<String, Value>>(200),
];

const HOUSE: &[Route] = &[
    get("/health/live", None, |verb| on(verb, router::live)).gives_bytes("text/plain"),
    get("/health/ready", None, |verb| on(verb, router::ready)).gives_bytes("text/plain"),
];
