"""Whom a served shop believes, and what it asks the platform, over the wire that both speak."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
import pytest
from tests.contract.sound import fresh

from shopkit import CaseNews, NotFound, Outcome, Unavailable
from shopkit.keys import Key
from shopkit.kit import Remote, bench_of, letters
from shopkit.kit.letters import Pen
from shopkit.serve import NoKeys, PlatformClient, ShopService, Trust, sandbox_trust
from shopkit.serve.platform import MATERIAL_MAX
from shopkit.signatures import CALLBACK_TAG, Memory, Request, Verifier

CITY: Final = Key(b"the city's own key, 32 bytes lon")
SHOP_KEY: Final = Key(b"a department's key, 32 bytes lon")
JWKS: Final = "https://city.invalid/.well-known/jwks.json"
NEWS: Final = CaseNews(Outcome("accepted", "P-1"))


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class KeySet:
    """The platform's key set, and how often it was asked for."""

    def __init__(self, *keys: dict[str, str], status: int = 200, body: bytes | None = None) -> None:
        self.asked = 0
        self.keys = list(keys)
        self.status = status
        self.body = body

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        assert str(request.url) == JWKS
        said = msgspec.json.encode({"keys": self.keys}) if self.body is None else self.body
        return httpx.Response(self.status, content=said)


def trust(keys: KeySet, clock: Clock | None = None) -> Trust:
    return Trust(jwks=JWKS, transport=httpx.MockTransport(keys), clock=clock or Clock())


async def test_it_takes_the_ed25519_keys_of_the_set() -> None:
    rsa = {"kty": "RSA", "kid": "old-1", "n": "AQAB"}
    nameless = {"kty": "OKP", "crv": "Ed25519", "x": CITY.text}
    found = trust(KeySet(CITY.jwk("shops-1"), rsa, nameless))
    assert found.get("shops-1") is None
    await found.refresh()
    assert found.get("shops-1") == CITY.public
    assert (found.get("old-1"), found.get("")) == (None, None)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (KeySet(status=503), "503"),
        (KeySet(body=b"<html>"), "malformed"),
        (KeySet(body=b"x" * 70_000), "more than 65536 bytes"),
        (KeySet(), "no Ed25519 key"),
        (KeySet(Key(b"k" * 32).jwk("a") | {"x": "A" * 43}), "low order"),
    ],
    ids=["down", "html", "large", "empty", "weak"],
)
async def test_a_key_set_that_is_none_is_said(keys: KeySet, said: str) -> None:
    with pytest.raises(NoKeys, match=said):
        await trust(keys).refresh()


async def test_keys_of_before_stay_while_the_set_cant_be_had() -> None:
    keys, clock = KeySet(CITY.jwk("shops-1")), Clock()
    found = trust(keys, clock)
    await found.refresh()
    keys.status = 500
    with pytest.raises(NoKeys):
        await found.refresh()
    assert found.get("shops-1") == CITY.public


@asynccontextmanager
async def asked(found: Trust) -> AsyncGenerator[Remote]:
    shop = fresh()
    service = ShopService(shop, trust=found, secret=b"sound" * 8)
    async with AsyncExitStack() as stack:
        await service.open(stack)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        yield Remote("http://shop.invalid", shop.manifest, await stack.enter_async_context(client))


async def ask(remote: Remote, pen: Pen) -> httpx.Response:
    """The first app's list, signed and vouched for with this key."""
    bench = bench_of(remote, remote.manifest.apps[0])
    who = letters.claims_of("sound_shop", "matters", bench.citizen(bench.people[0]), letters.seconds())  # fmt: skip
    path = remote.path("matters", "progress.list")
    return await remote.send(letters.signed(path, b"{}", letters.token(who, pen), pen=pen))


async def test_a_new_key_of_the_platform_is_fetched_when_it_is_first_used() -> None:
    keys, clock = KeySet(Key(b"o" * 32).jwk("shops-0")), Clock()
    async with asked(trust(keys, clock)) as remote:
        assert keys.asked == 1  # at the start
        keys.keys.append(CITY.jwk("shops-1"))
        assert (await ask(remote, Pen(CITY, "shops-1"))).status_code == 401  # it has just asked
        clock.now = 11
        assert (await ask(remote, Pen(CITY, "shops-1"))).status_code == 200
        assert keys.asked == 2


async def test_made_up_keys_dont_make_it_ask_each_time() -> None:
    keys, clock = KeySet(CITY.jwk("shops-1")), Clock()
    async with asked(trust(keys, clock)) as remote:
        clock.now = 11
        for number in range(5):
            reply = await ask(remote, Pen(CITY, f"stranger-{number}"))
            assert (reply.status_code, reply.json()["check"]) == (401, "signature-key")
    assert keys.asked == 2


async def test_without_the_platforms_keys_it_starts_and_says_so() -> None:
    keys, clock = KeySet(status=503), Clock()
    async with asked(trust(keys, clock)) as remote:
        clock.now = 11
        reply = await ask(remote, Pen(CITY, "shops-1"))
        assert (reply.status_code, reply.json()["type"]) == (503, "unavailable")
        keys.status, keys.keys, clock.now = 200, [CITY.jwk("shops-1")], 22
        assert (await ask(remote, Pen(CITY, "shops-1"))).status_code == 200


async def test_outside_a_sandbox_the_key_that_everybody_knows_is_a_strangers() -> None:
    async with asked(trust(KeySet(CITY.jwk("shops-1")))) as remote:
        reply = await ask(remote, letters.PLATFORM)
    assert (reply.status_code, reply.json()["check"]) == (401, "signature-key")


async def test_in_a_sandbox_the_platforms_own_key_counts_too() -> None:
    found = sandbox_trust()
    assert found.get(letters.PLATFORM_KID) == letters.PLATFORM.key.public
    assert not found.may_refresh()


class Platform:
    """The platform's side of callbacks, which checks signatures as it does."""

    def __init__(self, body: bytes = b"%PDF", status: int = 200) -> None:
        self.told: list[tuple[str, bytes]] = []
        self._body = body
        self._status = status
        self._verifier = Verifier({"sound_shop": SHOP_KEY.public}.get, CALLBACK_TAG, seen=Memory())

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        body = await request.aread() if request.method == "POST" else None
        headers = [(n.lower(), v) for n, v in request.headers.raw]
        signed = Request(request.method, path, query, headers, body)
        await self._verifier.verify(signed, now=letters.seconds())
        self.told.append((f"{request.method} {path}", body or b""))
        return httpx.Response(self._status, content=self._body)


def client(platform: Any, url: str = "https://city.invalid") -> PlatformClient:
    return PlatformClient(url, "sound_shop", SHOP_KEY, transport=httpx.MockTransport(platform))


@pytest.mark.parametrize("url", ["https://city.invalid", "https://city.invalid/mall/"])
async def test_a_material_is_fetched_with_the_shops_signature(url: str) -> None:
    platform, prefix = Platform(), "/mall" if "mall" in url else ""
    asking = client(platform, url)
    assert await asking.material("case-1", "m/1") == b"%PDF"
    await asking.close()
    at = f"{prefix}/v1/callbacks/sound_shop/cases/case-1/materials/m%2F1"
    assert platform.told == [(f"GET {at}", b"")]


async def test_news_of_a_case_is_told_with_the_shops_signature() -> None:
    platform = Platform()
    await client(platform).tell("case-1", NEWS)
    path = "POST /v1/callbacks/sound_shop/cases/case-1"
    assert platform.told == [(path, msgspec.json.encode(NEWS))]


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.mark.parametrize(
    ("platform", "said"),
    [(Platform(status=404), "404"), (unreachable, "ConnectError")],
    ids=["refused", "unreachable"],
)
async def test_what_the_platform_doesnt_give_is_unavailable(platform: Any, said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        await client(platform).material("case-1", "m-1")
    with pytest.raises(Unavailable, match=said):
        await client(platform).tell("case-1", NEWS)


async def test_a_material_has_an_end() -> None:
    with pytest.raises(Unavailable, match=f"more than {MATERIAL_MAX}"):
        await client(Platform(body=b"x" * (MATERIAL_MAX + 1))).material("case-1", "m-1")


async def test_a_shop_reads_a_material_while_it_answers() -> None:
    shop = fresh()
    read: list[bytes] = []
    platform = Platform(body=b"a photograph")

    async def look(call: Any, asked: Any) -> Any:
        read.append(await call.materials("case-1", "m-1"))
        raise NotFound

    shop.answering.handlers["matters", "progress.list"] = look
    fetching = client(platform)
    service = ShopService(
        shop, trust=sandbox_trust(), secret=b"sound" * 8, materials=fetching.material
    )
    async with AsyncExitStack() as stack:
        await service.open(stack)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        remote = Remote("http://shop.invalid", shop.manifest, await stack.enter_async_context(http))
        assert (await ask(remote, letters.PLATFORM)).status_code == 404
    assert read == [b"a photograph"]


async def test_what_a_shop_opens_is_closed_when_the_service_ends() -> None:
    """The lifespan of ASGI: up, serving, down."""
    steps: list[str] = []

    @asynccontextmanager
    async def schema() -> AsyncGenerator[Any]:
        steps.append("open")
        yield object()
        steps.append("closed")

    service = ShopService(fresh(), trust=sandbox_trust(), secret=b"s" * 32, opened=schema)
    await service({"type": "lifespan"}, _always("lifespan"), _noting(steps))
    assert steps == ["open", "lifespan.startup.complete", "closed", "lifespan.shutdown.complete"]


async def test_a_shop_that_cant_open_says_so_instead_of_starting() -> None:
    steps: list[str] = []

    @asynccontextmanager
    async def schema() -> AsyncGenerator[Any]:
        raise OSError("no database")
        yield

    service = ShopService(fresh(), trust=sandbox_trust(), secret=b"s" * 32, opened=schema)
    await service({"type": "lifespan"}, _always("lifespan"), _noting(steps))
    assert steps == ["lifespan.startup.failed"]
    await service({"type": "websocket"}, _always("websocket"), _noting(steps))
    assert steps == ["lifespan.startup.failed"]


def _always(kind: str) -> Any:
    async def receive() -> Any:
        return {"type": kind}

    return receive


def _noting(steps: list[str]) -> Any:
    async def send(message: Any) -> None:
        steps.append(message["type"])

    return send


async def test_the_departments_own_systems_are_in_reach_until_the_service_ends() -> None:
    shop = fresh()
    shop.manifest = msgspec.structs.replace(shop.manifest, egress=["records.invalid"])
    given: list[Any] = []

    async def look(call: Any, asked: Any) -> Any:
        given.append(call.http)
        raise NotFound

    shop.answering.handlers["matters", "progress.list"] = look
    service = ShopService(shop, trust=sandbox_trust(), secret=b"sound" * 8)
    async with AsyncExitStack() as stack:
        await service.open(stack)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(service))
        remote = Remote("http://shop.invalid", shop.manifest, await stack.enter_async_context(http))
        await ask(remote, letters.PLATFORM)
        (reach,) = given
        assert not reach.is_closed
    assert reach.is_closed
