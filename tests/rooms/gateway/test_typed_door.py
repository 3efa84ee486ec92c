"""Both ways to a typed call are one: past the framework and through it, the same bytes come back.

A request with one header twice is none that the door takes, and means the same: so it shows what
the framework makes of it.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import asyncpg
import pytest
import pytest_asyncio
from litestar import Litestar, get
from litestar.params import FromPath, HeaderParameter
from tests.rooms.gateway.remote_shop import Remote, problem
from tests.rooms.gateway.steps import forgive, known, someone
from tests.rooms.gateway.wire import Answer, ask, token_of

from civicmall.gateway import Typed, typed
from civicmall.gateway.calling import Calls
from civicmall.identity import citizen_only, operator_only
from civicmall.kernel import metrics

TWICE: Final = ("x-odd: 1", "x-odd: 1")
JSON: Final = "content-type: application/json"
OWN: Final = re.compile(
    rb'("(?:trace_id|as_of|call_id)":)(?:"[^"]*"|null)'
)  # of each answer its own
APP: Final = "/v1/shops/{away}/apps/all"
GOOD: Final = {
    "bills": f"{APP}/bills",
    "bills with all": f"{APP}/bills?paid=true&limit=7&unknown=1&lang=en",
    "bills of a shop here": "/v1/shops/{here}/apps/all/bills",
    "a bill": f"{APP}/bills/b1",
    "a bill, encoded": f"{APP}/bills/%62%31",
    "a bill, its slash encoded": f"{APP}/bills%2fb1",
    "a receipt": f"{APP}/bills/b1/receipt",
    "progress": f"{APP}/progress?limit=1",
    "progress of one": f"{APP}/progress?id=m2",
    "a matter": f"{APP}/progress/m1",
    "slots": f"{APP}/slots",
    "slots of days": f"{APP}/slots?from_on=2026-10-01&until_on=2026-10-02&place=hall&matter=a",
    "bookings": f"{APP}/bookings?past=1",
}
REFUSED: Final = {
    "no bill": f"{APP}/bills/gone",
    "a bill refused": f"{APP}/bills/no?lang=en",
    "a shop that is away": f"{APP}/bills/away",
    "a shop that breaks": f"{APP}/bills/broken",
    "no id": f"{APP}/bills/%e8%b4%a6",
    "no such days": f"{APP}/slots?from_on=2026-10-02&until_on=2026-10-01",
    "the end of time": f"{APP}/slots?from_on=9999-12-31",
    "no shop": "/v1/shops/nobody/apps/all/bills",
    "no app": "/v1/shops/{away}/apps/nothing/bills",
    "nothing of the app's": "/v1/shops/{away}/apps/guarded/slots",
    "a level": "/v1/shops/{away}/apps/guarded/bills",
}
ODD: Final = {
    "a limit that is none": f"{APP}/bills?limit=many",
    "a limit of nothing": f"{APP}/bills?limit=0",
    "a limit twice": f"{APP}/bills?limit=0&limit=3",
    "a day that is none": f"{APP}/slots?from_on=2026-13-01",
    "a place that is none": f"{APP}/slots?place=%20",
    "a matter that is none": f"{APP}/progress?id=a%20b",
    "a long id": f"{APP}/progress?id={'a' * 81}",
    "the shop asked twice": f"{APP}/bills?shop=nobody",
    "no bool": f"{APP}/bookings?past=perhaps",
    "a slash more": f"{APP}/bills/",
    "two slashes": "/v1/shops//{away}/apps/all/bills",
    "no operation": f"{APP}/nothing",
}
BODIES: Final = {
    "values": b'{"values":{"end":"ok"}}',
    "spaces": b' { "values" : { "end" : "ok" } } ',
    "a value that does not fit": b'{"values":{"end":5}}',
    "a value too many": b'{"values":{"end":"ok","more":1}}',
    "no value": b'{"values":{}}',
    "a shop's no": b'{"values":{"end":"bad"}}',
    "NUL": b'{"values":{"end":"\\u0000"}}',
}
ODD_BODIES: Final = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "half of it": b'{"values":{"end"',
    "no UTF-8": b'{"values":{"end":"\xff"}}',
    "a member too many": b'{"values":{"end":"ok"},"more":1}',
    "no values": b'{"value":{"end":"ok"}}',
    "values that are a list": b'{"values":[1]}',
    "deep": b'{"values":' + b"[" * 60_000,
    "large": b'{"values":{"end":"' + b"a" * typed.BODY_MAX + b'"}}',
}


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the door did with each request: `took`, or `handed on`, at once or after the body."""
    done: list[str] = []
    inside: Any = typed
    find, again = Typed.find, inside._again

    def finding(self: Typed, scope: Any) -> Any:
        plain = find(self, scope)
        done.append("took" if plain else "handed on")
        return plain

    def handing_on(*given: Any) -> Any:
        done[-1] = "handed on"
        return again(*given)

    monkeypatch.setattr(Typed, "find", finding)
    monkeypatch.setattr(inside, "_again", handing_on)
    return done


def written(method: str, target: str, lines: tuple[str, ...], body: bytes) -> bytes:
    """A request as bytes."""
    said = [f"{method} {target} HTTP/1.1", "host: city", *lines]
    if body or method == "POST":
        said.append(f"content-length: {len(body)}")
    return "\r\n".join(said).encode() + b"\r\n\r\n" + body


def comparable(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """Without what is each answer's own. Its length goes with that."""
    own = {"date", "x-trace-id"}
    headers = [(name, value) for name, value in answer.headers if name not in own]
    return answer.status, headers, OWN.sub(rb"\1", answer.body)


async def both(
    remote: Remote, token: str, target: str, *lines: str, method: str = "GET", body: bytes = b""
) -> tuple[Answer, Answer]:
    """What the door says, and what the framework says."""
    where = target.replace("{away}", remote.away).replace("{here}", remote.here)
    said = (f"authorization: Bearer {token}", *lines) if token else lines
    answers: list[Answer] = []
    for more in ((), TWICE):
        request = written(method, where, (*said, *more), body)
        answers.append(await ask(remote.city, request, method=method))
        remote.gateway._cache = type(remote.gateway._cache)()
    return answers[0], answers[1]


def same(answers: tuple[Answer, Answer]) -> int:
    """The status; both answers are alike."""
    plain, framed = answers
    assert comparable(plain) == comparable(framed)
    assert plain.header("x-trace-id") != framed.header("x-trace-id")
    return plain.status


@pytest_asyncio.fixture(loop_scope="session")
async def token(remote: Remote) -> str:
    """Of somebody new."""
    client, _ = await someone(remote.city)
    return token_of(client)


@pytest.mark.parametrize("target", GOOD.values(), ids=GOOD.keys())
async def test_a_plain_question_has_one_answer(
    remote: Remote, token: str, door: list[str], target: str
) -> None:
    assert same(await both(remote, token, target, "accept-language: en")) == 200
    assert door == ["took", "handed on"]


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED.keys())
async def test_a_plain_question_has_one_refusal(
    remote: Remote, token: str, door: list[str], target: str
) -> None:
    for lang in ("en", "zh-CN,zh;q=0.9"):
        assert same(await both(remote, token, target, f"accept-language: {lang}")) >= 400
        assert door[-2:] == ["took", "handed on"]
        forgive(remote.way(remote.away).gate)


@pytest.mark.parametrize("target", ODD.values(), ids=ODD.keys())
async def test_what_is_not_plain_is_handed_on(
    remote: Remote, token: str, door: list[str], target: str
) -> None:
    same(await both(remote, token, target))
    assert set(door) == {"handed on"}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("word", ["enquiry", "calculation"])
async def test_a_plain_body_has_one_answer(
    remote: Remote, token: str, door: list[str], word: str, body: bytes
) -> None:
    found = await both(remote, token, f"{APP}/{word}", JSON, method="POST", body=body)
    assert same(found) in {200, 422}
    assert door == ["took", "handed on"]


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
async def test_an_odd_body_is_handed_on(
    remote: Remote, token: str, door: list[str], body: bytes
) -> None:
    found = await both(remote, token, f"{APP}/enquiry", JSON, method="POST", body=body)
    assert same(found) >= 400
    assert set(door) == {"handed on"}


@pytest.mark.parametrize(
    "lines", [(), ("content-type: text/plain",), ("content-type: application/json; charset=utf-8",)]
)
async def test_only_json_is_plain(
    remote: Remote, token: str, door: list[str], lines: tuple[str, ...]
) -> None:
    body = BODIES["values"]
    same(await both(remote, token, f"{APP}/enquiry", *lines, method="POST", body=body))
    assert set(door) == {"handed on"}


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "POST", "OPTIONS"])
async def test_no_other_method_is_plain(
    remote: Remote, token: str, door: list[str], method: str
) -> None:
    found = await both(remote, token, f"{APP}/bills", method=method)
    assert same(found) in {204, 405}
    assert set(door) == {"handed on"}


async def test_who_may_ask_is_the_frameworks_to_say(remote: Remote, door: list[str]) -> None:
    staff = token_of(await remote.city.operator())
    for token, *lines in (
        ("",), ("", "authorization: Basic YTpi"), ("", "authorization: Bearer"), ("a.b.c",), (staff,),
        ("", "authorization: Bearer \xff"),
    ):  # fmt: skip
        assert same(await both(remote, token, f"{APP}/bills", *lines)) in {401, 403}
    assert set(door) == {"handed on"}


async def test_a_cookie_says_the_language_to_both(
    remote: Remote, token: str, door: list[str]
) -> None:
    lines = (JSON, "cookie: lang=en", "accept-language: zh-CN")
    body = BODIES["a shop's no"]
    found = await both(remote, token, f"{APP}/enquiry", *lines, method="POST", body=body)
    assert same(found) == 422
    assert found[0].problem["errors"] == [{"field": "end", "problem": "Bill"}]
    assert door == ["took", "handed on"]


async def test_consent_comes_first_in_both(remote: Remote, door: list[str]) -> None:
    client = await known(remote.city, "school_mother")
    where = "/v1/shops/{away}/apps/guarded/bills"
    assert same(await both(remote, token_of(client), where)) == 403
    agreed = {"claims": ["id_number"]}
    await client.put(f"/v1/me/consents/{remote.away}/guarded", json=agreed)
    assert same(await both(remote, token_of(client), where)) == 200
    assert door[-2:] == ["took", "handed on"]


async def test_a_last_answer_of_a_shop_that_is_down_is_marked_by_both(
    remote: Remote, token: str, door: list[str]
) -> None:
    where = f"{APP}/bills".replace("{away}", remote.away)
    said = (f"authorization: Bearer {token}",)
    first = await ask(remote.city, written("GET", where, said, b""))
    remote.served.instead = problem(500, "failed")
    plain, framed = [
        await ask(remote.city, written("GET", where, (*said, *more), b"")) for more in ((), TWICE)
    ]
    assert same((plain, framed)) == 200
    assert b'"stale":true' in plain.body
    assert b'"stale":false' in first.body
    assert door == ["took", "took", "handed on"]


FAULTS: Final = [
    ValueError("unforeseen"), TimeoutError(), OSError(), RecursionError(),
    asyncpg.InterfaceError("closed"), asyncpg.DataError("year 10000"), asyncpg.QueryCanceledError("late"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_our_own_faults_are_told_alike(
    remote: Remote, token: str, door: list[str], fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: Any) -> None:
        raise fault

    monkeypatch.setattr(Calls, "check_rights", failing)
    assert same(await both(remote, token, f"{APP}/bills")) in {400, 500, 503}
    assert door == ["took", "handed on"]


async def test_both_count_the_same(remote: Remote, token: str) -> None:
    counts: Any = metrics.REQUESTS
    key = ("/v1/shops/{shop}/apps/{app}/bills", "GET", "200")
    before = counts._counts.get(key, 0)
    await both(remote, token, f"{APP}/bills")
    assert counts._counts[key] == before + 2


def test_a_handler_that_the_door_can_not_serve_is_found_at_start() -> None:
    where = "/v1/shops/{shop:str}/apps/{app:str}/odd"
    mine: dict[str, Any] = {"opt": typed.BEFORE, "guards": [citizen_only]}

    @get(where, **mine)
    async def asking_more(
        shop: FromPath[str],
        app: FromPath[str],
        said: Annotated[str, HeaderParameter(name="x-said")],
    ) -> str:
        return shop + app + said

    @get("/v1/elsewhere", **mine)
    async def elsewhere() -> str:
        return ""

    @get(where, opt=typed.BEFORE)
    async def for_anybody(shop: FromPath[str], app: FromPath[str]) -> str:
        return shop + app

    @get(where, opt=typed.BEFORE, guards=[citizen_only, operator_only])
    async def for_others(shop: FromPath[str], app: FromPath[str]) -> str:
        return shop + app

    @get(where, **mine)
    async def good(shop: FromPath[str], app: FromPath[str]) -> str:
        return shop + app

    for handler, why in (
        (asking_more, "filled in"), (elsewhere, "no address"), (for_anybody, "guarded"),
        (for_others, "guarded"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=why):
            Typed(Litestar([handler], openapi_config=None))
    Typed(Litestar([good], openapi_config=None))
