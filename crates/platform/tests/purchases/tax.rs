//! Tax numbers, invoices and receipts.

use serde_json::json;
use signalbox_core::ApiError;
use signalbox_platform::purchase::NewTaxId;

use crate::peer::Fault;
use crate::world::{World, by, new_account, usd};

fn new(kind: &str, value: &str) -> NewTaxId {
    NewTaxId { kind: kind.to_owned(), value: value.to_owned() }
}

#[tokio::test]
async fn tax_numbers_are_added_listed_and_removed_at_both_places() {
    let world = World::new().await;
    let add =
        async |kind, value| world.purchases.add_tax_id(&by(&world.account), new(kind, value)).await;
    let added = add("eu_vat", " DE123456789 ").await.unwrap();
    assert_eq!((added.kind.as_str(), added.value.as_str()), ("eu_vat", "DE123456789"));
    assert_eq!(world.peer.things("txi").len(), 1);
    let again = ApiError::from(add("eu_vat", "DE123456789").await.unwrap_err());
    assert_eq!(again.status(), 409);
    add("us_ein", "12-3456789").await.unwrap();
    let list = world.purchases.tax_ids(&world.account).await.unwrap();
    assert_eq!(list.len(), 2);
    let other = new_account(&world.store).await;
    assert!(world.purchases.remove_tax_id(&by(&other), &added.id).await.is_err());
    world.purchases.remove_tax_id(&by(&world.account), &added.id).await.unwrap();
    assert_eq!(world.peer.things("txi").len(), 1);
    assert_eq!(world.purchases.tax_ids(&world.account).await.unwrap().len(), 1);
    assert_eq!(world.acts().await, ["tax_id.delete", "tax_id.add", "tax_id.add"]);
}

#[tokio::test]
async fn what_is_no_tax_number_is_refused() {
    let world = World::new().await;
    world.checkout("10").await;
    let add = async |kind, value| {
        let done = world.purchases.add_tax_id(&by(&world.account), new(kind, value)).await;
        ApiError::from(done.unwrap_err()).status()
    };
    assert_eq!(add("xx_tin", "1").await, 400);
    assert_eq!(add("eu_vat", "").await, 400);
    assert_eq!(add("eu_vat", "DE\n1").await, 400);
    let customer = world.store.customer(&world.account).await.unwrap().unwrap().customer_ref;
    world.peer.fail_next(&format!("/v1/customers/{customer}/tax_ids"), Fault::Status(400));
    assert_eq!(add("eu_vat", "DE1").await, 400);
    assert!(world.purchases.tax_ids(&world.account).await.unwrap().is_empty());
}

#[tokio::test]
async fn invoices_and_receipts_stand_in_one_list() {
    let world = World::new().await;
    let id = world.buy("20").await;
    let customer = world.store.customer(&world.account).await.unwrap().unwrap().customer_ref;
    let intent = world.payment(&id).await.intent_ref.unwrap();
    world.peer.add(json!({"id": intent, "status": "succeeded", "amount": 2110, "currency": "usd",
        "latest_charge": {"id": "ch_1", "receipt_url": "https://pay.example/receipt"}}));
    world.peer.add(json!({"id": "in_1", "customer": customer, "number": "A-1", "status": "paid",
        "total": 2110, "currency": "usd", "created": 1_786_289_460,
        "hosted_invoice_url": "https://pay.example/in_1", "invoice_pdf": "javascript:alert(1)"}));
    let list = world.purchases.invoices(&world.account).await.unwrap();
    let kinds: Vec<_> = list.iter().map(|one| (one.kind, one.amount)).collect();
    assert_eq!(kinds, [("invoice", usd("21.1")), ("receipt", usd("21.1"))]);
    assert_eq!(list[0].pdf, None, "only an address of the web is one");
    assert_eq!(list[1].url.as_deref(), Some("https://pay.example/receipt"));
    let before = world.peer.calls("GET", "/v1/payment_intents").len();
    world.purchases.invoices(&world.account).await.unwrap();
    let after = world.peer.calls("GET", "/v1/payment_intents").len();
    assert_eq!(before, after, "a receipt is asked for once");
}
