"""The pages in which buyers pay, which localstripe lacks; every other call goes on to localstripe.

Usage: pages.py PORT LOCALSTRIPE_ORIGIN WEBHOOK_URL WEBHOOK_SECRET

Minimal, and of our own: sessions of Checkout with the members that Signalbox sends and reads.
`POST /_pay/SESSION` is the buyer: the payment is made at localstripe, which tells of it by itself, and
the session's own event is signed and sent from here.
"""

import hashlib
import hmac
import itertools
import json
import re
import sys
import time

import aiohttp
from aiohttp import web

PORT, ORIGIN, HOOK, SECRET = sys.argv[1:5]
VERSION = "2026-10-28.endive"
SESSIONS, REMEMBERED, CALLS = {}, {}, []
NUMBERS = itertools.count(1)


def tree(fields):
    """`{"a[b]": "c"}` as `{"a": {"b": "c"}}`."""
    whole = {}
    for name, value in fields.items():
        at, *path = re.findall(r"[^\[\]]+", name)
        place = whole
        for step in path:
            place, at = place.setdefault(at, {}), step
        place[at] = value
    return whole


async def send_event(kind, thing):
    event = {"id": f"evt_page_{next(NUMBERS)}", "object": "event", "type": kind}
    event["data"] = {"object": thing}
    body = json.dumps(event).encode()
    now = int(time.time())
    mac = hmac.new(SECRET.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={now},v1={mac}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as client:
        async with client.post(HOOK, data=body, headers=headers) as answer:
            return answer.status


async def make(request):
    key = request.headers["Idempotency-Key"]
    if key in REMEMBERED:
        return web.json_response(REMEMBERED[key])
    asked = tree(await request.post())
    items = asked["line_items"].values()
    assert asked["mode"] == "payment", asked
    assert all(item["price_data"]["product_data"]["name"] for item in items), asked
    total = sum(int(i["price_data"]["unit_amount"]) * int(i["quantity"]) for i in items)
    session = f"cs_test_{next(NUMBERS)}"
    SESSIONS[session] = {
        "id": session,
        "object": "checkout.session",
        "url": f"http://127.0.0.1:{PORT}/pay/{session}",
        "status": "open",
        "payment_status": "unpaid",
        "amount_subtotal": total,
        "amount_total": total,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "currency": "usd",
        "customer": asked["customer"],
        "client_reference_id": asked["client_reference_id"],
        "metadata": asked["metadata"],
        "payment_intent": None,
        "_intent": asked["payment_intent_data"],
    }
    REMEMBERED[key] = {k: v for k, v in SESSIONS[session].items() if k[0] != "_"}
    return web.json_response(REMEMBERED[key])


async def retrieve(request):
    session = SESSIONS.get(request.match_info["id"])
    if session is None:
        return web.json_response({"error": {"code": "resource_missing"}}, status=404)
    return web.json_response({k: v for k, v in session.items() if k[0] != "_"})


async def pay(request):
    session = SESSIONS[request.match_info["id"]]
    intent = session["_intent"]
    headers = {"Authorization": "Bearer sk_test_of_the_page"}
    customer = session["customer"]
    async with aiohttp.ClientSession(ORIGIN, headers=headers) as client:
        attach = "/v1/payment_methods/pm_card_visa/attach"
        async with client.post(attach, data={"customer": customer}) as answer:
            card = (await answer.json())["id"]
        fields = {
            "amount": session["amount_total"],
            "currency": "usd",
            "customer": customer,
            "payment_method": card,
            "confirm": "true",
        }
        for name, value in intent["metadata"].items():
            fields[f"metadata[{name}]"] = value
        async with client.post("/v1/payment_intents", data=fields) as answer:
            paid = await answer.json()
    assert paid["status"] == "succeeded", paid
    session.update(status="complete", payment_status="paid", payment_intent=paid["id"])
    thing = {k: v for k, v in session.items() if k[0] != "_"}
    status = await send_event("checkout.session.completed", thing)
    return web.json_response({"payment_intent": paid["id"], "card": card, "webhook": status})


async def forward(request):
    body = await request.read()
    names = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version")
    headers = {name: request.headers[name] for name in names if name in request.headers}
    if "sk_test_signalbox" in request.headers.get("Authorization", ""):
        CALLS.append([request.method, request.path])
        assert headers["Stripe-Version"] == VERSION, headers
        assert request.method != "POST" or "Idempotency-Key" in headers, request.path
    key = headers.get("Idempotency-Key")
    if key in REMEMBERED:
        status, text = REMEMBERED[key]
        return web.Response(status=status, text=text, content_type="application/json")
    async with aiohttp.ClientSession() as client:
        url = ORIGIN + str(request.rel_url)
        async with client.request(request.method, url, data=body, headers=headers) as answer:
            status, text = answer.status, await answer.text()
    if key:
        REMEMBERED[key] = (status, text)
    return web.Response(status=status, text=text, content_type="application/json")


app = web.Application()
app.router.add_get("/_calls", lambda _: web.json_response(CALLS))
app.router.add_post("/_pay/{id}", pay)
app.router.add_post("/v1/checkout/sessions", make)
app.router.add_get("/v1/checkout/sessions/{id}", retrieve)
app.router.add_route("*", "/{any:.*}", forward)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(PORT))
