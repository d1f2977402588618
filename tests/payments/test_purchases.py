"""Purchases end to end: Signalbox, localstripe and the pages, each a process."""

import hashlib
import hmac
import json
import os
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import urlencode

URL = os.environ["SIGNALBOX_URL"]
ORIGIN = URL.removesuffix("/api/v1")
MANAGEMENT = os.environ["SIGNALBOX_MANAGEMENT_KEY"]
KEY = os.environ["SIGNALBOX_KEY"]
PAGES = os.environ["PAGES"]
PEER = os.environ["PEER"]
SECRET = os.environ["WEBHOOK_SECRET"]


def call(method, url, body=None, headers=None):
    """Status and JSON, numbers kept exact."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read()
    return status, json.loads(text or b"null", parse_float=Decimal)


def api(method, path, body=None, expected=200):
    data = None if body is None else json.dumps(body).encode()
    status, answer = call(method, URL + path, data, {"Authorization": f"Bearer {MANAGEMENT}"})
    assert status == expected, (status, answer)
    return answer


def peer(path, fields=None):
    """localstripe itself, as its owner sees it."""
    data = None if fields is None else urlencode(fields).encode()
    method = "GET" if fields is None else "POST"
    status, answer = call(method, PEER + path, data, {"Authorization": "Bearer sk_test_owner"})
    assert status == 200, (status, answer)
    return answer


def balance():
    credits = api("GET", "/credits")["data"]
    return Decimal(credits["total_credits"]) - Decimal(credits["total_usage"])


def eventually(what, look, patience=90):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen in {patience} s")


def signed(body, secret=SECRET, at=None):
    at = int(time.time()) if at is None else at
    mac = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={mac}", "Content-Type": "application/json"}


def hook(body, headers):
    return call("POST", f"{ORIGIN}/webhooks/stripe", body, headers)[0]


def event(name, kind, thing):
    whole = {"id": f"evt_fixture_{name}", "object": "event", "type": kind}
    return json.dumps({**whole, "data": {"object": thing}}).encode()


def offer(amount, **more):
    return api("POST", "/credits/checkout", {"amount": amount, **more})["data"]


def pay(offered):
    session = offered["url"].rsplit("/", 1)[1]
    status, paid = call("POST", f"{PAGES}/_pay/{session}", b"")
    assert (status, paid["webhook"]) == (200, 200), paid
    return paid


def purchase(which):
    found = [one for one in api("GET", "/credits/purchases")["data"] if one["id"] == which]
    return found[0]


def test_a_purchase_is_credited_once_by_two_events():
    before = balance()
    offered = offer(20, auto_top_up=True)
    assert (offered["fee"], offered["total"], offered["status"]) == (
        Decimal("1.1"),
        Decimal("21.1"),
        "open",
    )
    assert balance() == before
    paid = pay(offered)
    eventually("the credit", lambda: balance() == before + 20)
    intent = peer(f"/v1/payment_intents/{paid['payment_intent']}")
    assert (intent["amount"], intent["currency"]) == (2110, "usd")
    # localstripe's own event comes a second later.
    kept = lambda: json.dumps(api("GET", "/credits/purchases")["data"])
    time.sleep(2)
    assert balance() == before + 20, kept()
    assert purchase(offered["id"])["status"] == "paid"


def test_a_forged_webhook_does_nothing():
    before = balance()
    offered = offer(50)
    session = offered["url"].rsplit("/", 1)[1]
    thing = {
        "id": session,
        "payment_status": "paid",
        "amount_total": 5275,
        "currency": "usd",
        "payment_intent": "pi_forged",
        "metadata": {"payment": offered["id"]},
    }
    body = event("forged", "checkout.session.completed", thing)
    now = int(time.time())
    for headers in [
        {},
        {"Stripe-Signature": "t=1,v1="},
        signed(body, secret=""),
        signed(body, secret="whsec_guessed"),
        signed(body, at=now - 301),
        signed(body, at=now + 301),
        signed(body + b" "),
    ]:
        assert hook(body, headers) == 400, headers
    try:
        assert hook(b"x" * (10 << 20), signed(b"x")) == 413
    except urllib.error.URLError as error:
        # It answers and closes long before all of it is sent.
        assert isinstance(error.reason, (BrokenPipeError, ConnectionResetError)), error
    assert balance() == before
    assert purchase(offered["id"])["status"] == "open"


def test_one_event_fifty_times_at_once_is_one_credit():
    before = balance()
    offered = offer(10)
    session = offered["url"].rsplit("/", 1)[1]
    thing = {
        "id": session,
        "payment_status": "paid",
        "amount_total": 1080,
        "currency": "usd",
        "payment_intent": "pi_fixture",
        "metadata": {"payment": offered["id"]},
    }
    body = event("parallel", "checkout.session.completed", thing)
    headers = signed(body)
    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda _: hook(body, headers), range(50)))
    assert statuses == [200] * 50
    assert balance() == before + 10
    # The bank takes 4 dollars of it back, told twice.
    refund = {"id": "re_fixture", "status": "succeeded", "amount": 400, "currency": "usd"}
    refund["payment_intent"] = "pi_fixture"
    for _ in range(2):
        body = event("outside", "refund.created", refund)
        assert hook(body, signed(body)) == 200
    eventually("the refund", lambda: balance() == before + 6)
    assert purchase(offered["id"])["refunded"] == 4


def test_a_refund_gives_back_what_is_unused_and_keeps_the_fee():
    before = balance()
    offered = offer(100)
    paid = pay(offered)
    eventually("the credit", lambda: balance() == before + 100)
    refund = api("POST", f"/credits/purchases/{offered['id']}/refund")["data"]
    assert (refund["amount"], refund["status"]) == (100, "done")
    assert balance() == before
    made = peer(f"/v1/refunds?payment_intent={paid['payment_intent']}")["data"]
    assert [(one["amount"], one["metadata"]["refund"]) for one in made] == [(10000, refund["id"])]
    api("POST", f"/credits/purchases/{offered['id']}/refund", expected=409)
    # The event that localstripe does not send.
    body = event("refund", "refund.created", {**made[0], "currency": "usd"})
    assert hook(body, signed(body)) == 200
    assert balance() == before
    assert purchase(offered["id"])["status"] == "refunded"


def chat():
    body = {"model": "sim/tokens", "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    status, answer = call("POST", f"{URL}/chat/completions", json.dumps(body).encode(), headers)
    assert status == 200, answer


def top_ups():
    listed = peer("/v1/payment_intents?limit=100")["data"]
    return [one for one in listed if one["metadata"].get("by") == "top_up"]


def test_a_balance_below_its_threshold_buys_credit_once():
    chat()
    before = balance()
    rule = api("PUT", "/credits/auto-top-up", {"threshold": str(before + 1), "amount": 25})["data"]
    assert rule["payment_method"] == "visa ending in 4242"
    chat()
    eventually("the top-up", lambda: balance() > before + 24)
    time.sleep(3)
    made = top_ups()
    assert [(one["amount"], one["status"]) for one in made] == [(2638, "succeeded")]
    assert balance() < before + 26
    rule = api("GET", "/credits/auto-top-up")["data"]
    assert (rule["in_flight"], rule["failures"], rule["enabled"]) == (None, 0, True)
    newest = api("GET", "/credits/purchases")["data"][0]
    assert (newest["automatic"], newest["status"], newest["fee"]) == (True, "paid", Decimal("1.38"))


def test_a_declined_top_up_rests():
    customer = top_ups()[0]["customer"]
    card = peer("/v1/payment_methods/pm_card_chargeCustomerFail/attach", {"customer": customer})
    before = balance()
    wish = {"threshold": str(before + 100), "amount": 25, "payment_method": card["id"]}
    api("PUT", "/credits/auto-top-up", wish)
    chat()
    rule = lambda: api("GET", "/credits/auto-top-up")["data"]
    eventually("the decline", lambda: rule()["failures"] == 1)
    assert (rule()["in_flight"], rule()["enabled"]) == (None, True)
    assert rule()["resting_until"] is not None
    assert balance() <= before
    assert api("GET", "/credits/purchases")["data"][0]["failure"] == "card_declined"
    assert api("DELETE", "/credits/auto-top-up") == {"deleted": True}
    api("GET", "/credits/auto-top-up", expected=404)


def test_tax_numbers_are_at_both_places():
    added = api("POST", "/credits/tax-ids", {"type": "eu_vat", "value": "DE123456789"})["data"]
    customer = top_ups()[0]["customer"]
    there = peer(f"/v1/customers/{customer}/tax_ids")["data"]
    assert [(one["type"], one["value"]) for one in there] == [("eu_vat", "DE123456789")]
    assert [one["id"] for one in api("GET", "/credits/tax-ids")["data"]] == [added["id"]]
    api("POST", "/credits/tax-ids", {"type": "eu_vat", "value": "no"}, expected=400)
    assert api("DELETE", f"/credits/tax-ids/{added['id']}") == {"deleted": True}
    assert peer(f"/v1/customers/{customer}/tax_ids")["data"] == []
    assert api("GET", "/credits/invoices")["data"] == []


def test_a_disputed_charge_takes_the_credit_and_freezes_the_account():
    offered = offer(30)
    paid = pay(offered)
    eventually("the credit", lambda: purchase(offered["id"])["status"] == "paid")
    before = balance()
    dispute = {"id": "dp_fixture", "status": "needs_response", "amount": 3165, "currency": "usd"}
    dispute["payment_intent"] = paid["payment_intent"]
    for kind in ["charge.dispute.created", "charge.dispute.funds_withdrawn"]:
        body = event(kind, kind, dispute)
        assert hook(body, signed(body)) == 200
    eventually("the chargeback", lambda: balance() == before - 30)
    assert purchase(offered["id"])["status"] == "disputed"
    api("POST", "/credits/checkout", {"amount": 20}, expected=403)
