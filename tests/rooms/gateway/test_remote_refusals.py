"""What a remote shop says instead of an answer, and in which contract it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from tests.citizens import caller
from tests.rooms.gateway.remote_shop import (
    OTHER_KEY,
    Asgi,
    Remote,
    Served,
    answering,
    placed,
    problem,
    said,
)
from tests.rooms.gateway.steps import bills, someone

from civicmall.gateway import FormRefused, ShopBadAnswer, ShopFailed, ShopUnavailable
from civicmall.gateway.errors import NoSuchThing, ShopRefused, ShopTimeout
from civicmall.kernel.errors import Problem
from civicmall.shops import NoSuchApp
from shopkit.contract import (
    BillsQuery,
    ChargeRefunded,
    Filled,
    Outcome,
    ProgressQuery,
    Reason,
    Submission,
)
from shopkit.serve import ShopService, Trust

WORDS = {"zh-CN": "年满十八岁", "en": "Must be of age"}
AFTER = (b"retry-after", b"7")
REASON = {"field": "end", "message": WORDS}
SAYS: dict[str, tuple[Asgi, type[Problem], dict[str, Any]]] = {
    "not found": (problem(404, "not-found"), NoSuchThing, {}),
    "as a URI": (problem(404, "https://shop.example/problems/not-found"), NoSuchThing, {}),
    "refused": (problem(409, "refused", detail="周一不办公"), ShopRefused, {}),
    "bad form": (
        problem(422, "bad-form", errors=[REASON]), FormRefused,
        {"errors": [{"field": "end", "problem": "Must be of age"}]},
    ),
    "away": (problem(503, "unavailable", AFTER), ShopUnavailable, {"retry_after_s": 7}),
    "away for long": (
        problem(503, "unavailable", (b"retry-after", b"99999")), ShopUnavailable, {"retry_after_s": 30},
    ),
    "away until a date": (
        problem(503, "unavailable", (b"retry-after", b"Fri, 31 Dec 1999 23:59:59 GMT")),
        ShopUnavailable, {"retry_after_s": 30},
    ),
    "away in no words": (answering(503, b"<html>"), ShopUnavailable, {"retry_after_s": 30}),
    "too many": (answering(429, b"", AFTER), ShopUnavailable, {"retry_after_s": 7}),
    "a signature": (
        problem(401, "signature", check="signature-created", detail="400 s behind"), ShopFailed,
        {"check": "signature-created"},
    ),
    "a signature with words of its own": (
        problem(401, "signature", check="unreachable"), ShopFailed, {"check": "signature"},
    ),
    "a long word": (
        problem(401, "assertion", check="x" * 5000), ShopFailed, {"check": "assertion"},
    ),
    "too late": (problem(504, "deadline"), ShopTimeout, {}),
    "failed": (problem(500, "failed"), ShopFailed, {"check": "status"}),
    "a bare 404": (answering(404, b"no"), ShopBadAnswer, {"check": "status"}),
    "not found with another status": (problem(410, "not-found"), ShopBadAnswer, {"check": "status"}),
    "a bad form that isn't one": (
        problem(422, "bad-form", errors="all"), ShopBadAnswer, {"check": "status"},
    ),
    "moved": (
        answering(302, b"", (b"location", b"http://169.254.169.254/")), ShopBadAnswer,
        {"check": "redirect"},
    ),
    "a teapot": (answering(418), ShopBadAnswer, {"check": "status"}),
    "created": (answering(201, []), ShopBadAnswer, {"check": "status"}),
    "pending, though nothing was applied for": (
        answering(202, []), ShopBadAnswer, {"check": "status"},
    ),
    "a problem as success": (problem(200, "not-found"), ShopBadAnswer, {"check": "content-type"}),
    "html": (
        answering(200, b"[]", media=b"text/html"), ShopBadAnswer, {"check": "content-type"},
    ),
    "nearly JSON": (
        answering(200, b"[]", media=b"application/jsonp"), ShopBadAnswer, {"check": "content-type"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("shop", "kind", "extra"), SAYS.values(), ids=SAYS.keys())
async def test_what_a_shop_says_becomes_one_of_our_problems(
    remote: Remote, shop: Asgi, kind: type[Problem], extra: dict[str, Any]
) -> None:
    _, me = await someone(remote.city)
    remote.served.instead = shop
    with pytest.raises(Problem) as caught:
        await remote.gateway.ask(caller(me), remote.away, "all", "bills.list", BillsQuery(), "en")
    assert type(caught.value) is kind
    for name, value in extra.items():
        assert caught.value.extra[name] == value
    assert caught.value.extra.get("shop", remote.away) == remote.away


async def test_the_media_type_is_read_as_everybody_reads_it(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    for media in (b"application/json; charset=utf-8", b"Application/JSON", b"application/json "):
        remote.served.instead = answering(200, [], media=media)
        assert (await client.get(bills(remote.away, "all"))).status_code == 200


OUTCOMES: dict[str, Outcome] = {
    "accepted": Outcome("accepted", "N-1"),
    "refused": Outcome("refused", reasons=[Reason(WORDS)]),  # pyright: ignore[reportArgumentType] (a dict like any other)
}


@pytest.mark.parametrize(
    ("status", "state", "fits"),
    [
        (200, "accepted", True), (422, "refused", True),
        (200, "refused", False), (202, "accepted", False), (422, "accepted", False),
        (201, "accepted", False), (204, "accepted", False),
    ],
)  # fmt: skip
async def test_an_outcome_agrees_with_its_status(
    remote: Remote, status: int, state: str, *, fits: bool
) -> None:
    _, me = await someone(remote.city)
    remote.served.instead = answering(status, OUTCOMES[state] if status != 204 else b"")
    ask = remote.gateway.ask(
        caller(me), remote.away, "all", "apply.submit", Submission("c1", {}), "en"
    )
    if fits:
        assert (await ask).state == state
        return
    with pytest.raises(ShopBadAnswer) as caught:
        await ask
    assert caught.value.extra["check"] == "status"


async def test_a_shop_that_refuses_our_signature_is_named(remote: Remote) -> None:
    """Whoever believes another platform believes nothing that we sign."""
    client, _ = await someone(remote.city)
    shop = remote.inside(remote.away).shop
    stranger = Served(
        ShopService(shop, trust=Trust({"shops-1": OTHER_KEY.public}), secret=bytes(32))
    )
    await stranger.start()
    try:
        await remote.place(placed(said(remote.away, version="1.0.1"), stranger.url))
        answer = await client.get(bills(remote.away, "all"))
    finally:
        await stranger.stop()
    assert (answer.status_code, answer.json()["check"]) == (502, "signature-wrong")


# Contracts


async def test_a_shop_on_contract_1_is_asked_in_its_words(remote: Remote) -> None:
    client, me = await someone(remote.city)
    await remote.place(placed(said(remote.away, contract=1), remote.served.url))
    remote.served.seen.clear()

    async def ask(operation: str, asked: Any) -> Any:
        return await remote.gateway.ask(caller(me), remote.away, "all", operation, asked, "en")

    assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert (await ask("progress.get", "m2")).id == "m2"
    assert [m.id for m in await ask("progress.list", ProgressQuery(id="m1"))] == ["m1"]
    assert (await ask("bills.receipt", "b1")).number == "R1"
    with pytest.raises(NoSuchThing):
        await ask("progress.get", "m9")
    asked = [seen.path.removeprefix("/v1/apps/all/") for seen in remote.served.seen]
    assert asked == ["bills.list", "progress.list", "progress.list", "bills.get", "progress.list"]
    with pytest.raises(NoSuchApp):
        await ask("calculate.run", Filled({"end": "ok"}))
    refunded = ChargeRefunded("f1", "p1", "b1", 100, remote.city.house.clock.now())
    assert await remote.gateway.tell_refunded(me, remote.away, "all", refunded) is None
    assert len(remote.served.seen) == 5, "it hears of no refund"


def speaking(remote: Remote, *contracts: int) -> Asgi:
    """The shop as if it spoke these."""
    says = answering(200, {"id": remote.away, "version": "1.0.0", "contracts": contracts})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found = scope["path"] == "/.well-known/civicmall-shop"
        assert remote.served.app is not None
        await (says if found else remote.served.app)(scope, receive, send)

    return app


async def test_the_newest_contract_that_both_speak_is_spoken(remote: Remote) -> None:
    client, me = await someone(remote.city)
    remote.served.instead = speaking(remote, 1)
    await remote.gateway.gates.probe()
    assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert remote.served.seen[-1].path == "/v1/apps/all/bills.list"
    for operation, asked in (("calculate.run", Filled({"end": "ok"})), ("charge.refunded", None)):
        with pytest.raises(ShopFailed) as caught:
            await remote.gateway.ask(caller(me), remote.away, "all", operation, asked, "en")
        assert caught.value.extra["check"] == "contract"
    raw = await client.get(f"/v1/shops/{remote.away}/raw/files/a")
    assert (raw.status_code, raw.json()["check"]) == (502, "contract")
    assert remote.served.seen[-1].path == "/v1/apps/all/bills.list", "none of it was asked"
    remote.served.instead = speaking(remote, 3, 2, 1)
    await remote.gateway.gates.probe()
    assert (await client.get(bills(remote.away, "all"))).status_code == 200
    assert remote.served.seen[-1].path == "/v2/apps/all/bills.list"


@pytest.mark.parametrize("contracts", [(), (7, 8)], ids=["none", "later ones"])
async def test_a_shop_with_no_contract_in_common_is_not_called(
    remote: Remote, contracts: tuple[int, ...]
) -> None:
    client, _ = await someone(remote.city)
    remote.served.instead = speaking(remote, *contracts)
    await remote.gateway.gates.probe()
    assert "contracts" in remote.way(remote.away).gate.away
    remote.served.seen.clear()
    answer = await client.get(bills(remote.away, "all"))
    assert (answer.status_code, answer.json()["check"]) == (502, "contract")
    assert remote.served.seen == []


async def test_a_shop_that_speaks_less_than_its_manifest_and_no_older_one(remote: Remote) -> None:
    """A manifest of contract 1 at a server that only speaks 2: they have nothing in common."""
    client, _ = await someone(remote.city)
    remote.served.instead = speaking(remote, 2)
    await remote.place(placed(said(remote.away, contract=1), remote.served.url))
    answer = await client.get(bills(remote.away, "all"))
    assert (answer.status_code, answer.json()["check"]) == (502, "contract")


@pytest.mark.parametrize(
    ("shop", "why"),
    [
        (answering(200, {"id": "somebody", "version": "1.0.0", "contracts": [2]}), "somebody"),
        (answering(200, b"[" * 100_000), "discovery"), (answering(200, b"\xff"), "discovery"),
        (answering(200, {"id": 1}), "discovery"), (answering(404), "404"),
        (answering(302, b"", (b"location", b"http://169.254.169.254/")), "302"),
        (answering(200, b" " * 600_000), "body-size"),
    ],
    ids=["another", "nested", "no UTF-8", "no strings", "nothing", "moved", "large"],
)  # fmt: skip
async def test_a_discovery_that_is_none_is_named(remote: Remote, shop: Asgi, why: str) -> None:
    remote.served.instead = shop
    await remote.gateway.gates.probe()
    assert why in remote.way(remote.away).gate.away
    await remote.back()
    assert remote.way(remote.away).gate.away == ""


async def test_a_key_that_protects_nothing_closes_its_shop_alone(remote: Remote) -> None:
    client, _ = await someone(remote.city)
    await remote.place(placed(said(remote.away, version="1.0.2"), remote.served.url, key="A" * 43))
    answer = await client.get(bills(remote.away, "all"))
    assert answer.json()["type"] == "/problems/shop-unavailable"
    assert "low order" in remote.town.get(remote.away).reason
    assert (await client.get(bills(remote.here, "all"))).status_code == 200
