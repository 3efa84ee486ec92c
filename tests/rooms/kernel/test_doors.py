"""Every answer over HTTP: problems by RFC 9457, in the caller's language, traceable, without secrets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from litestar import Litestar, Router, get, post
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from civicmall.kernel import http, outbox, routes
from civicmall.kernel.db import Pool
from civicmall.kernel.errors import Internal, KeyMissing, NotFound, Problem, Unavailable
from civicmall.kernel.http import IdempotencyKey, Limit, problems, public
from civicmall.kernel.middleware import Outermost

SECRET = "19900009001"


class SignInNeeded(Problem):
    """Stands for any 401."""

    type, status, title = "/problems/test-sign-in", 401, "Send an Idempotency-Key."


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    amount_minor: Annotated[int, Meta(ge=1)]
    note: str = ""


RAISED: dict[str, Callable[[], BaseException]] = {
    "not-found": lambda: NotFound("no such bill", shop="water"),
    "sign-in": SignInNeeded,
    "busy": lambda: Unavailable(retry_after_s=7),
    "bug": lambda: RuntimeError(f"boom {SECRET}"),
    "disk": lambda: OSError("disk full"),
    "slow": TimeoutError,
    "database": lambda: asyncpg.ConnectionDoesNotExistError("gone"),
    "cancelled": lambda: asyncpg.QueryCanceledError("canceling statement"),
    "nul": lambda: asyncpg.CharacterNotInRepertoireError(f"invalid byte sequence {SECRET}"),
    "far": lambda: asyncpg.DataError(f"year out of range {SECRET}"),
    "deep": lambda: RecursionError("maximum recursion depth exceeded"),
    "teapot": lambda: HTTPException(status_code=418),
}


@get("/raise", summary="Raise what is asked for")
async def raising(kind: Annotated[str, QueryParameter()]) -> None:
    error = RAISED[kind]()
    raise error


@get("/list", summary="A list", responses=problems(NotFound, KeyMissing))
async def listing(limit: Limit = 50) -> list[int]:
    return list(range(limit))


@post("/orders", summary="Make one")
async def order(data: JSONBody[Order], key: IdempotencyKey) -> Order:
    del key
    return data


class Hanging(asyncpg.Pool):  # pyright: ignore[reportMissingTypeArgument]
    """A pool all of whose connections are busy."""

    def __init__(self) -> None: ...

    async def fetchrow(self, *_: Any, **__: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise TimeoutError


def application(db: Any) -> Outermost:
    def provide() -> Pool:
        return db

    return Outermost(
        Litestar(
            route_handlers=[
                *routes.routers,
                Router("/t", route_handlers=[raising, listing, order], guards=[public]),
            ],
            dependencies={"db": Provide(provide, sync_to_thread=False)},
            exception_handlers=http.HANDLERS,
            request_max_body_size=http.BODY_MAX,
            logging_config=None,
        )
    )


def client_of(application: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(application), base_url="http://city.example"
    )


@pytest_asyncio.fixture(loop_scope="session")
async def client(pool: Pool) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(application(pool)) as opened:
        yield opened


async def raised(client: httpx.AsyncClient, kind: str, lang: str = "en") -> httpx.Response:
    return await client.get("/t/raise", params={"kind": kind}, headers={"accept-language": lang})


async def test_a_refusal_as_a_client_reads_it(client: httpx.AsyncClient) -> None:
    answer = await raised(client, "not-found")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("trace_id") == answer.headers["x-trace-id"]
    assert body == {
        "type": "/problems/not-found",
        "title": "There is nothing here.",
        "status": 404,
        "detail": "no such bill",
        "shop": "water",
    }


async def test_in_the_callers_language(client: httpx.AsyncClient) -> None:
    async def title(query: str = "", **headers: str) -> str:
        answer = await client.get(f"/nowhere{query}", headers=headers)
        found: str = answer.json()["title"]
        return found

    chinese, english = "这里没有您要找的内容。", "There is nothing here."
    assert await title(**{"accept-language": "en"}) == english
    assert await title(**{"accept-language": "fr"}) == chinese
    assert await title(**{"accept-language": "zh", "cookie": "lang=en"}) == english
    assert await title("?lang=zh-CN", **{"accept-language": "en", "cookie": "lang=en"}) == chinese


async def test_a_401_names_its_scheme(client: httpx.AsyncClient) -> None:
    answer = await raised(client, "sign-in")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer ")


async def test_when_to_come_again(client: httpx.AsyncClient) -> None:
    answer = await raised(client, "busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "retry-after" not in (await raised(client, "not-found")).headers


@pytest.mark.parametrize("kind", ["bug", "teapot"])
async def test_a_fault_of_ours_tells_nothing_but_its_trace(
    client: httpx.AsyncClient, kind: str
) -> None:
    answer = await raised(client, kind)
    assert answer.status_code == 500
    assert answer.json() == {
        "type": Internal.type,
        "title": Internal.title,
        "status": 500,
        "trace_id": answer.headers["x-trace-id"],
    }
    assert SECRET not in answer.text


@pytest.mark.parametrize("kind", ["disk", "slow", "database", "cancelled"])
async def test_a_database_that_is_away_is_a_503(client: httpx.AsyncClient, kind: str) -> None:
    answer = await raised(client, kind)
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/unavailable"
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("kind", ["nul", "far", "deep"])
async def test_what_no_column_or_decoder_takes_is_the_callers(
    client: httpx.AsyncClient, kind: str
) -> None:
    answer = await raised(client, kind)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bad-request"
    assert SECRET not in answer.text


async def test_an_unknown_address_and_a_wrong_method(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).json()["type"] == "/problems/not-found"
    answer = await client.delete("/t/list")
    assert answer.status_code == 405
    assert answer.json()["type"] == "/problems/method-not-allowed"
    assert "GET" in answer.headers["allow"]


async def ordering(client: httpx.AsyncClient, body: str | bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json", "idempotency-key": "k", **headers}
    return await client.post("/t/orders", content=body, headers=sent)


async def test_a_good_body(client: httpx.AsyncClient) -> None:
    answer = await ordering(client, '{"amount_minor": 5}')
    assert (answer.status_code, answer.json()) == (201, {"amount_minor": 5, "note": ""})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"amount_minor": 0}', "amount_minor"),
        ('{"amount_minor": "much"}', "amount_minor"),
        ('{"amount_minor": 5, "note": null}', "note"),
    ],
)
async def test_a_wrong_field_is_named(client: httpx.AsyncClient, body: str, field: str) -> None:
    answer = await ordering(client, body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bad-request"
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    "body",
    ["", "{", "null", "[1]", "{}", '{"amount_minor": 5, "price": 1}', b"\xff\xfe", b"[" * 500],
)
async def test_a_body_of_another_shape(client: httpx.AsyncClient, body: str | bytes) -> None:
    answer = await ordering(client, body)
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/bad-request"
    assert answer.json().keys() & {"detail", "errors"}


@pytest.mark.parametrize("key", ["", "k" * 256, "with space"])
async def test_a_wrong_header_is_named(client: httpx.AsyncClient, key: str) -> None:
    answer = await ordering(client, '{"amount_minor": 5}', **{"idempotency-key": key})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_what_was_not_sent_is_named_and_the_address_not_repeated(
    client: httpx.AsyncClient,
) -> None:
    header = await client.post(f"/t/orders?phone={SECRET}", json={"amount_minor": 5})
    query = await client.get("/t/raise")
    for answer, field in ((header, "Idempotency-Key"), (query, "kind")):
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"field": field, "problem": "required"}]
        assert SECRET not in answer.text


@pytest.mark.parametrize("limit", ["0", "101", "many", ""])
async def test_a_wrong_parameter_is_named(client: httpx.AsyncClient, limit: str) -> None:
    answer = await client.get("/t/list", params={"limit": limit})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["limit"]


async def test_a_body_beyond_the_limit(client: httpx.AsyncClient) -> None:
    answer = await ordering(client, json.dumps({"amount_minor": 1, "note": "x" * http.BODY_MAX}))
    assert answer.status_code == 413
    assert answer.json()["type"] == "/problems/body-too-large"


async def test_who_leaves_in_mid_body_is_no_fault_of_ours(
    pool: Pool, capfd: pytest.CaptureFixture[str]
) -> None:
    app: Any = application(pool)
    sent: list[Any] = []
    told: list[Any] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b"{", "more_body": True},
    ]
    scope = {
        "type": "http", "method": "POST", "path": "/t/orders", "raw_path": b"/t/orders", "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"idempotency-key", b"k" * 20)],
        "http_version": "1.1", "scheme": "http", "client": ("127.0.0.1", 1), "server": ("city", 80),
        "root_path": "", "state": {}, "asgi": {"version": "3.0"},
    }  # fmt: skip

    async def receive() -> Any:
        return told.pop() if told else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert sent[0]["status"] == 400
    seen = capfd.readouterr()
    assert "http.fault" not in seen.err + seen.out


async def test_alive(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_ready_and_how_much_waits(client: httpx.AsyncClient, owner: Any, pool: Pool) -> None:
    class Rang(Struct, frozen=True, tag="test.rang"):
        pass

    assert (await client.get("/readyz")).json() == {"status": "ok", "waiting": 0, "dead": 0}
    await outbox.publish(pool, 1, Rang())
    assert (await client.get("/readyz")).json() == {"status": "ok", "waiting": 1, "dead": 0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "WAITING_MAX", 0)
        assert (await client.get("/readyz")).json()["status"] == "degraded"
    await owner.execute("update kernel.outbox set dead = true")
    assert (await client.get("/readyz")).json() == {"status": "degraded", "waiting": 0, "dead": 1}
    metrics = (await client.get("/metrics")).text
    assert "civicmall_outbox_dead 1.0" in metrics
    await owner.execute("truncate kernel.outbox")


async def test_not_ready_while_the_database_is_silent() -> None:
    async with client_of(application(Hanging())) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "the database does not answer in time"


async def test_counters(client: httpx.AsyncClient) -> None:
    await client.get("/healthz")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'civicmall_requests_total{method="GET",route="/healthz",status="200"}' in answer.text


def test_what_a_door_may_answer_is_documented_by_status() -> None:
    documented = problems(NotFound, KeyMissing, NotFound)
    assert list(documented) == [400, 404, 503]
    assert documented[400].description == (
        "Send an Idempotency-Key. (/problems/idempotency-key-missing); "
        "The request can't be read. (/problems/bad-request)"
    )
