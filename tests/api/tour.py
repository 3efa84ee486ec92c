"""Once through every operation of the API; what was asked and answered becomes its examples.

`RECORD=1 pytest tests/api/test_examples.py` writes them into backend/civicmall/examples.json.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from tests.api.tour_attributes import attributes
from tests.api.tour_audit import audit
from tests.api.tour_away import KEY, away
from tests.api.tour_channels import channels
from tests.api.tour_delegation import delegations
from tests.api.tour_documents import documents
from tests.api.tour_exchange import tokens_of_others
from tests.api.tour_forms import forms
from tests.api.tour_insurance import insurance
from tests.api.tour_levels import elsewhere, proofs
from tests.api.tour_mandates import mandates
from tests.api.tour_passkeys import passkeys
from tests.api.tour_provider import provider
from tests.api.tour_reconcile import tickets
from tests.api.tour_refunds import refunds
from tests.api.tour_staff import staff
from tests.city import City
from tests.workshop import app, manifest, text

from civicmall import identity
from civicmall.payments import Sandbox

FILE: Final = Path(__file__).parents[2] / "backend" / "civicmall" / "examples.json"
SHOWN: Final = 2
"""Elements of a list that an example shows."""
SECRET: Final = ("access_token", "refresh_token", "token")


Publish = Callable[[dict[str, Any]], Awaitable[None]]


class Tour:
    """Calls the API and remembers one exchange per operation."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[str, Any]] = {}

    async def go(
        self, client: httpx.AsyncClient, method: str, template: str, body: Any = None, **rest: Any
    ) -> Any:
        """One call; `rest` fills the template, `query` and `headers` are taken as such."""
        query = rest.pop("query", None)
        headers: dict[str, str] = rest.pop("headers", None) or {}
        path = template.format(**rest)
        kwargs: dict[str, Any] = {}
        if body is not None:  # as signatures are made over it
            kwargs["content"] = msgspec.json.encode(body)
            headers = {"content-type": "application/json", **headers}
        answer = await client.request(method, path, params=query, headers=headers, **kwargs)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        said = answer.json() if is_json else None
        self.seen[f"{method} {template}"] = {
            **({} if body is None else {"request": shown(body)}),
            **({} if said is None else {"response": shown(said)}),
        }
        return said


def shown(value: Any) -> Any:
    """Short, and without tokens."""
    if isinstance(value, dict):
        found: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {k: "…" if k in SECRET and v else shown(v) for k, v in found.items()}
    if isinstance(value, list):
        return [shown(v) for v in value[:SHOWN]]  # pyright: ignore[reportUnknownVariableType]
    return value


async def tour(city: City) -> dict[str, dict[str, Any]]:
    """Every operation once, as those it is for."""
    t = Tour()
    nobody = await city.anonymous()
    await _public(t, nobody)
    citizen, order, ticket = await _citizen(t, city, nobody)
    await _desk(t, city, nobody, citizen, ticket)
    publish = await _releases(t, city)
    await away(t, city, citizen, publish)
    await tokens_of_others(t, city, citizen, shown)
    await documents(t, city, citizen)
    await passkeys(t, city, nobody)
    await provider(t, city, (await city.people())["graduate"]["phone"])
    await delegations(t, city)
    await staff(t, city)
    await _leave(t, city, citizen, order)
    return t.seen


async def _public(t: Tour, nobody: httpx.AsyncClient) -> None:
    for path in (
        "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json", "/v1/catalogue/departments",
        "/v1/catalogue/stages", "/v1/shops", "/v1/sandbox/people", "/v1/ratings/levels",
        "/v1/satisfaction",
    ):  # fmt: skip
        await t.go(nobody, "GET", path)
    await channels(t, nobody)
    await t.go(nobody, "GET", "/v1/catalogue/items", query={"stage": "birth", "limit": 2})
    await t.go(nobody, "GET", "/v1/catalogue/items/{code}", code="id_card_renewal")
    await t.go(nobody, "GET", "/v1/shops/{shop}", shop="utility_bills")
    await t.go(nobody, "GET", "/v1/satisfaction/{shop}", shop="utility_bills")


async def _citizen(
    t: Tour, city: City, nobody: httpx.AsyncClient
) -> tuple[httpx.AsyncClient, str, str]:
    person = (await city.people())["newborn_mother"]
    phone, app = {"phone": person["phone"]}, {"shop": "utility_bills", "app": "gas"}
    await t.go(nobody, "POST", "/v1/sign-in/codes", phone)
    await t.go(nobody, "GET", "/v1/sandbox/messages")
    pair = await t.go(
        nobody, "POST", "/v1/sign-in/tokens", {**phone, "code": person["code"], "device": "phone"}
    )
    pair = await t.go(
        nobody, "POST", "/v1/sign-in/refresh", {"refresh_token": pair["refresh_token"]}
    )
    known = {"name": person["name"], "id_number": person["id_number"]}
    raised = await t.go(
        await city.client(pair["access_token"]), "POST", "/v1/me/verification", known
    )
    c = await city.client(raised["access_token"])
    await t.go(c, "GET", "/v1/me")
    await t.go(c, "PUT", "/v1/me/facts", {"facts": {"housing": "tenant"}})
    claims = {"claims": ["id_number"]}
    await t.go(c, "PUT", "/v1/me/consents/{shop}/{app}", claims, **app)
    await c.put("/v1/me/consents/public_security/id_card", json=claims)
    bills = await t.go(c, "GET", "/v1/shops/{shop}/apps/{app}/bills", **app)
    bill = bills["items"][0]["id"]
    await t.go(c, "GET", "/v1/shops/{shop}/apps/{app}/bills/{bill}", bill=bill, **app)
    await t.go(
        c, "GET", "/v1/shops/{shop}/apps/{app}/progress", shop="public_security", app="id_card"
    )
    home = await t.go(c, "GET", "/v1/home")
    card = {"item": home["cards"][0]["item"]}
    await t.go(c, "POST", "/v1/home/cards/{item}/feedback", {"action": "dismiss"}, **card)
    await t.go(c, "DELETE", "/v1/home/cards/{item}/feedback", **card)
    await t.go(c, "GET", "/v1/home/settings")
    await t.go(c, "PUT", "/v1/home/settings", {"recommend": True})
    order = await _pay(t, city, c, {**app, "charge_id": bill})
    receipt = "/v1/shops/{shop}/apps/{app}/bills/{bill}/receipt"
    await t.go(c, "GET", receipt, bill=bill, **app)
    await attributes(t, city, c)
    await forms(t, city, c)
    await mandates(t, city, c)
    await proofs(t, city, c, person["id_number"])
    await elsewhere(t, city, c)
    await insurance(t, city, c)
    rating = await t.go(
        c, "POST", "/v1/ratings",
        {"subject": {"kind": "order", "id": order}, "stars": 1, "tags": [], "comment": "看不懂阶梯"},
        headers={"idempotency-key": "tour-2"},
    )  # fmt: skip
    await city.settled()
    ticket = rating["id"]
    await t.go(c, "GET", "/v1/ratings")
    await t.go(c, "GET", "/v1/rectifications")
    await t.go(c, "GET", "/v1/rectifications/{ticket}", ticket=ticket)
    return c, order, ticket


async def _pay(t: Tour, city: City, c: httpx.AsyncClient, charge: dict[str, str]) -> str:
    key = {"idempotency-key": "tour-1"}
    order = await t.go(c, "POST", "/v1/orders", {"charges": [charge]}, headers=key)
    paid = {"order_id": order["id"]}
    cashier = await t.go(c, "POST", "/v1/orders/{order_id}/pay", {"channel": "sandbox"}, **paid)
    await t.go(
        c, "POST", "/v1/sandbox/cashier/{order_id}",
        {"token": cashier["token"], "choice": "no_callback"}, **paid,
    )  # fmt: skip
    bank = Sandbox(city.house)
    row = await city.house.db.fetchrow(
        "select txn, paid_minor, paid_at from payments.sandbox_payment where order_id = $1::text::uuid",
        order["id"],
    )
    assert row is not None
    said = {
        **paid,
        "txn": row[0],
        "amount_minor": row[1],
        "paid_at": row[2].isoformat(),
        "currency": "CNY",
    }
    body = msgspec.json.encode(said)
    answer = await c.post(
        "/v1/channels/sandbox/callbacks",
        content=body,
        headers={"content-type": "application/json", **bank.sign(body)},
    )
    assert answer.is_success, answer.text
    t.seen["POST /v1/channels/{channel}/callbacks"] = {"request": said, "response": answer.json()}
    await city.settled()
    await t.go(c, "GET", "/v1/orders/{order_id}", **paid)
    await t.go(c, "GET", "/v1/orders/{order_id}/receipt", **paid)
    await refunds(t, city, c, order)
    await t.go(c, "GET", "/v1/orders")
    messages = (await t.go(c, "GET", "/v1/inbox"))["items"]
    await t.go(c, "GET", "/v1/inbox/unread")
    await t.go(c, "POST", "/v1/inbox/{message}/read", message=messages[0]["id"])
    await t.go(c, "POST", "/v1/inbox/read")
    found: str = order["id"]
    return found


async def _desk(
    t: Tour, city: City, nobody: httpx.AsyncClient, citizen: httpx.AsyncClient, ticket: str
) -> None:
    await t.go(
        nobody, "POST", "/v1/staff/tokens", {"username": "operator", "password": "sandbox-only"}
    )
    operator, department = await city.operator(), await city.department("utility_bills")
    desk = "/v1/desk/rectifications/{ticket}"
    await t.go(department, "GET", "/v1/staff/me")
    for path in ("payments", "totals", "ratings", "rectifications", "cases"):
        await t.go(department, "GET", f"/v1/desk/{path}")
    for path in ("ledger", "shops/health"):
        await t.go(operator, "GET", f"/v1/desk/{path}")
    await t.go(operator, "GET", "/v1/desk/ledger/entries", query={"account": "channel:sandbox"})
    await tickets(t, city)
    await t.go(operator, "POST", desk + "/remind", ticket=ticket)
    await t.go(department, "GET", desk, ticket=ticket)
    answer = {"kind": "fixed", "text": "账单已附阶梯说明。"}
    await t.go(department, "POST", desk + "/answer", answer, ticket=ticket)
    await city.settled()
    mine = "/v1/rectifications/{ticket}"
    await t.go(citizen, "POST", mine + "/reopen", {"reason": "仍看不懂"}, ticket=ticket)
    await city.settled()
    await t.go(department, "POST", desk + "/appeal", {"reason": "评价对象有误"}, ticket=ticket)
    await city.settled()
    verdict = {"verdict": "rejected", "reason": "评价属实"}
    await t.go(operator, "POST", desk + "/review", verdict, ticket=ticket)
    await city.settled()
    await department.post(desk.format(ticket=ticket) + "/answer", json=answer)
    await city.settled()
    again: dict[str, Any] = {"rating": {"stars": 4, "tags": [], "comment": ""}}
    await t.go(citizen, "POST", mine + "/confirm", again, ticket=ticket)


async def _releases(t: Tour, city: City) -> Publish:
    """A shop with an address of its own, from its department to the citizens and to its end.

    Answers how another one is brought to the citizens.
    """
    shop = "street_parking"
    await identity.add_staff(city.house, shop, "sandbox-only", "许岚", "manager", shop)
    author, reader, publisher = [await city.department(n) for n in (shop, "operator", "reviewer")]
    desk, home = "/v1/desk/releases", "/v1/desk/releases/{release}"
    claims = [{"name": "phone", "purpose": text("泊位到期提醒")}]
    address = {"url": "http://127.0.0.1:9/shop", "key": KEY.text}
    found = [
        {"check": "progress-steps", "app": "permits", "result": "passed", "asks": "", "seen": ""}
    ]

    async def submit(version: str) -> dict[str, str]:
        said = manifest(shop, [app("permits", "progress", claims=claims)], runtime=address)
        body = {"manifest": {**said, "version": version}, "report": found, "note": "首次上线"}
        made = await t.go(author, "POST", desk, body, headers={"idempotency-key": version})
        return {"release": made["id"]}

    first = await submit("1.0.0")
    await t.go(reader, "GET", desk, query={"state": "submitted"})
    await t.go(reader, "POST", home + "/approve", {"note": "用途与清单相符"}, **first)
    await t.go(publisher, "POST", home + "/canary", {"percent": 5, "note": ""}, **first)
    await t.go(publisher, "POST", home + "/publish", {"note": ""}, **first)
    await t.go(reader, "POST", home + "/suspend", {"note": "部门要求检修"}, **first)
    await t.go(reader, "POST", home + "/resume", {"note": "检修完毕"}, **first)
    await t.go(reader, "POST", home + "/reject", {"note": "用途不明"}, **await submit("1.1.0"))
    second = await submit("1.2.0")
    await t.go(reader, "POST", home + "/approve", {"note": "用途与清单相符"}, **second)
    await t.go(publisher, "POST", home + "/publish", {"note": ""}, **second)
    await t.go(reader, "POST", home + "/rollback", {"note": "进度日期有误"}, **second)
    await t.go(author, "GET", home, **second)
    await t.go(reader, "POST", home + "/retire", {"note": "并入其他店铺"}, **first)

    async def publish(said: dict[str, Any]) -> None:
        name = said["id"]
        await identity.add_staff(city.house, name, "sandbox-only", "许岚", "manager", name)
        theirs = await city.department(name)
        passed = [{**found[0], "app": one["id"]} for one in said["apps"]]
        body = {"manifest": said, "report": passed, "note": ""}
        made = await theirs.post(desk, json=body, headers={"idempotency-key": name})
        assert made.is_success, made.text
        for client, move in ((reader, "approve"), (publisher, "publish")):
            path = f"{desk}/{made.json()['id']}/{move}"
            assert (await client.post(path, json={"note": ""})).is_success

    return publish


async def _leave(t: Tour, city: City, c: httpx.AsyncClient, order: str) -> None:
    bills = (await c.get("/v1/shops/utility_bills/apps/gas/bills")).json()["items"]
    charge = {"shop": "utility_bills", "app": "gas", "charge_id": bills[0]["id"]}
    other = await c.post(
        "/v1/orders", json={"charges": [charge]}, headers={"idempotency-key": "tour-3"}
    )
    assert other.json()["id"] != order
    await t.go(c, "POST", "/v1/orders/{order_id}/cancel", order_id=other.json()["id"])
    await t.go(c, "GET", "/v1/me/accesses")
    await audit(t, city, c)
    await t.go(c, "GET", "/v1/me/consents")
    await t.go(c, "DELETE", "/v1/me/consents/{shop}/{app}", shop="public_security", app="id_card")
    sessions = (await t.go(c, "GET", "/v1/me/sessions"))["items"]
    second = await city.newcomer("newborn_mother")
    newest = (await second.get("/v1/me/sessions")).json()["items"][0]["id"]
    assert newest != sessions[0]["id"]
    await t.go(c, "DELETE", "/v1/me/sessions/{session}", session=newest)
    await t.go(c, "DELETE", "/v1/me/session")
