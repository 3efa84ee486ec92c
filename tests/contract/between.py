"""The wire between the kit and the sound shop, and what may go wrong on it.

A fault of the guard is made by forgiving: a request that the sound shop would refuse is signed anew,
as the platform would have, when it has just that one thing wrong; so it is let in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct

from shopkit import Shop
from shopkit.assertion import BadAssertion, read
from shopkit.call import Citizen
from shopkit.keys import Keys
from shopkit.kit import Remote, letters
from shopkit.kit.letters import PLATFORM, WEBHOOK_SECRET
from shopkit.sandbox import PLATFORM_KID, people
from shopkit.serve import ShopService, sandbox_trust
from shopkit.signatures import SHOP_TAG, BadSignature, Known, Memory, Request, Verifier

SHOP: Final = "sound_shop"
ADDRESS: Final = "http://shop.invalid"
OPERATION: Final = re.compile(r"^/v\d+/apps/(\w+)/([a-z]+\.[a-z]+)$")
PROBE: Final = ("matters", "progress.list")
"""What the checks of the wire ask of the sound shop."""
KEYS: Final[Mapping[str, Any]] = {PLATFORM_KID: PLATFORM.key.public}
ALWAYS_FRESH: Final = 10**6


class Asked(Struct):
    """A request on its way."""

    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        found = (v.decode("latin-1") for k, v in self.headers if k == name.encode())
        return next(found, "")

    @property
    def app(self) -> str:
        found = re.match(r"^/v\d+/apps/(\w+)/", self.path)
        return found[1] if found else ""

    @property
    def raw(self) -> bool:
        return "/raw/" in self.path

    def signed_body(self) -> bytes | None:
        return None if self.raw else self.body

    async def wrong(self, *, keys: Known = KEYS.get, tag: str = SHOP_TAG, skew_s: int = 300, **other: Any) -> str:  # fmt: skip
        """What is wrong with the signature, had it come otherwise; empty where nothing is."""
        one = msgspec.structs.replace(self, **other) if other else self
        request = Request(one.method, one.path, one.query, one.headers, one.signed_body())
        verifier = Verifier(keys, tag, seen=Memory(), skew_s=skew_s)
        try:
            await verifier.verify(request, now=letters.seconds())
        except BadSignature as error:
            return f"{error.check}: {error.seen}"
        return ""

    def unbelieved(self, *, keys: Keys = KEYS.get, audience: str = SHOP) -> str:
        """What is wrong with the assertion; empty where nothing is."""
        try:
            said = read(
                self.header("civicmall-assertion"), keys, audience=audience, now=letters.seconds()
            )
        except BadAssertion as error:
            return f"{error.check}: {error.seen}"
        return "" if said.app == self.app else f"another app: {said.app}"


Next = Callable[[Asked], Awaitable[httpx.Response]]
Fault = Callable[[Asked, Next], Awaitable[httpx.Response]]


class Between(httpx.AsyncBaseTransport):
    """The wire, with a fault in it."""

    def __init__(self, service: ShopService, fault: Fault | None) -> None:
        self._shop = httpx.ASGITransport(service)
        self._fault = fault

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path, _, query = request.url.raw_path.decode().partition("?")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        asked = Asked(request.method, path, query, headers, await request.aread())
        return await (self._fault(asked, self._pass) if self._fault else self._pass(asked))

    async def _pass(self, asked: Asked) -> httpx.Response:
        target = f"{asked.path}?{asked.query}" if asked.query else asked.path
        url = httpx.URL(ADDRESS).copy_with(raw_path=target.encode())
        headers = [h for h in asked.headers if h[0] not in {b"content-length", b"host"}]
        passed = httpx.Request(asked.method, url, headers=headers, content=asked.body or None)
        reply = await self._shop.handle_async_request(passed)
        await reply.aread()
        return reply


@asynccontextmanager
async def remote(shop: Shop, fault: Fault | Memory | None = None) -> AsyncGenerator[Remote]:
    """The shop served, and asked over the faulty wire."""
    kept: dict[tuple[str, str], bytes] = {}

    async def material(case_id: str, name: str) -> bytes:
        return kept[case_id, name]

    seen = fault if isinstance(fault, Memory) else None
    service = ShopService(
        shop, trust=sandbox_trust(), secret=b"sound" * 8, webhook_secret=WEBHOOK_SECRET,
        materials=material, seen=seen,
    )  # fmt: skip
    between = Between(service, None if isinstance(fault, Memory) else fault)
    async with AsyncExitStack() as stack:
        await service.open(stack)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=between))
        target = Remote(ADDRESS, shop.manifest, client)
        target.kept = kept
        yield target


ME: Final = people(datetime.now(UTC).date())[0]


def anew(asked: Asked, **other: Any) -> Asked:
    """The same request, signed as the platform would have; with another path or body, that one."""
    one = msgspec.structs.replace(asked, **other) if other else asked
    citizen = Citizen(f"{SHOP}:{ME.key}", 2, {"id_number": ME.id_number})
    vouched = letters.token(letters.claims_of(SHOP, one.app, citizen, letters.seconds()))
    signed = PLATFORM.signer.headers(
        one.method, one.path, one.query, one.signed_body(), vouched, now=letters.seconds()
    )
    names = {name for name, _ in signed}
    kept = [(n, v) for n, v in one.headers if n not in names and n != b"content-digest"]
    return msgspec.structs.replace(one, headers=[*kept, *signed])


def forgiving(when: Callable[[Asked], Awaitable[object]], *, raw: bool = False) -> Fault:
    """Lets in what is refused for one reason."""

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        if asked.app and asked.raw == raw and await when(asked):
            return await go(anew(asked))
        return await go(asked)

    return fault


def believing(when: Callable[[Asked], object]) -> Fault:
    """Lets in what is well signed and vouched for wrongly, in one way."""

    async def well_signed(asked: Asked) -> bool:
        return not await asked.wrong() and bool(asked.unbelieved()) and bool(when(asked))

    return forgiving(well_signed)


def replying(when: Callable[[Asked], object], change: Callable[[httpx.Response], httpx.Response]) -> Fault:  # fmt: skip
    """Changes some answers."""

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        reply = await go(asked)
        return change(reply) if when(asked) else reply

    return fault


def instead(when: Callable[[Asked], object], status: int, body: bytes = b"", **headers: str) -> Fault:  # fmt: skip
    """Answers some requests by itself."""

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        if when(asked):
            shown = {name.replace("_", "-"): value for name, value in headers.items()}
            return httpx.Response(status, content=body, headers=shown)
        return await go(asked)

    return fault


def rewriting(when: Callable[[Asked], object], **other: Any) -> Fault:
    """Takes some requests for others."""

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        return await go(anew(asked, **other) if when(asked) else asked)

    return fault


def with_headers(reply: httpx.Response, **headers: str) -> httpx.Response:
    kept = {k: v for k, v in reply.headers.items() if k != "content-length"}
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(reply.status_code, content=reply.content, headers=kept | shown)


def with_body(reply: httpx.Response, body: bytes, **headers: str) -> httpx.Response:
    shown = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = {"content-type": reply.headers.get("content-type", "")}
    return httpx.Response(reply.status_code, content=body, headers=kept | shown)


def member(reply: httpx.Response, **members: Any) -> httpx.Response:
    """Other members in a JSON answer; None takes one away."""
    said = msgspec.json.decode(reply.content) | members
    return with_body(reply, msgspec.json.encode({k: v for k, v in said.items() if v is not None}))


def is_discovery(asked: Asked) -> bool:
    return asked.path.endswith("civicmall-shop")


def is_probe(asked: Asked) -> bool:
    found = OPERATION.match(asked.path)
    return found is not None and (found[1], found[2]) == PROBE


def is_body(*bodies: bytes) -> Callable[[Asked], bool]:
    return lambda asked: is_probe(asked) and asked.body in bodies


HERE: Final = "/v2/apps/matters/progress.list"
GOOD: Final = b'{"id":null,"limit":20}'
