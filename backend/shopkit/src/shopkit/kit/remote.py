"""A shop at an address, in any language, asked as the platform asks."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Struct

from .. import webhooks  # noqa: TID252 (the package is one thing)
from ..answers import OUTCOMES, WrongAnswer, decoded, fits  # noqa: TID252 (the same)
from ..call import Citizen  # noqa: TID252 (the same)
from ..contract import Event, Handed, ProgressQuery, RawAnswer, RawAsk, Reason  # noqa: TID252 (the same)
from ..errors import BadForm, BadManifest, NotFound, Refused, Unavailable  # noqa: TID252 (the same)
from ..manifest import DISCOVERY, Manifest, RawRoute, parse_manifest  # noqa: TID252 (the same)
from ..routing import match  # noqa: TID252 (the same)
from ..testing import keep  # noqa: TID252 (the same)
from . import letters
from .checks import Failed, fail, hold
from .letters import Letter

GRACE_S: Final = 2.0
"""Beyond the manifest's deadline, before a shop is given up on."""
OK: Final = 200
TOLD: Final = 240
"""Bytes of an answer that a report shows."""
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"


class Discovery(Struct, frozen=True):
    """What a shop says of itself, unsigned."""

    id: str
    version: str
    contracts: list[int]
    manifest: msgspec.Raw


class Said(Struct, frozen=True):
    """A problem+json."""

    type: str
    status: int | None = None
    detail: str = ""
    check: str = ""
    errors: list[Reason] = []

    @property
    def kind(self) -> str:
        """The last part of the type: a shop may write it as a URI."""
        return re.split(r"[/:]", self.type)[-1]


class Remote:
    """A shop at `url`; `manifest` is what its discovery document says."""

    def __init__(self, url: str, manifest: Manifest, client: httpx.AsyncClient) -> None:
        parts = urlsplit(url)
        self.base = parts.path.rstrip("/")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._manifest = manifest
        self.client = client
        self.pen = letters.pen_for(manifest)
        self.kept: dict[tuple[str, str], bytes] = {}
        """Materials that were handed in: whoever stands for the platform gives them out."""

    @property
    def manifest(self) -> Manifest:
        """As the shop publishes it."""
        return self._manifest

    @property
    def now(self) -> datetime:
        """The time that calls are made at."""
        return datetime.fromtimestamp(letters.seconds(), UTC)

    def path(self, app: str, operation: str, contract: int | None = None) -> str:
        """Where an operation is."""
        return f"{self.base}/v{contract or self._manifest.contract}/apps/{app}/{operation}"

    def vouched(self, app: str, citizen: Citizen) -> str:
        """The assertion for a citizen at an app."""
        return letters.token(letters.claims_of(self._manifest.id, app, citizen, letters.seconds()))

    def letter(self, app: str, operation: str, asked: Any, citizen: Citizen, **how: Any) -> Letter:
        """A well-made question; `how` as in `letters.signed`."""
        body = msgspec.json.encode(asked)
        vouched = self.vouched(app, citizen)
        return letters.signed(self.path(app, operation), body, vouched, pen=self.pen, **how)

    async def send(self, letter: Letter) -> httpx.Response:
        """The answer to a letter, whatever it is. Raises Failed where none comes."""
        target = letter.path.encode() + (b"?" + letter.query.encode() if letter.query else b"")
        url = httpx.URL(self._origin).copy_with(raw_path=target)
        request = self.client.build_request(
            letter.method, url, content=letter.body or None, headers=[*_ALWAYS, *letter.headers],
            timeout=self._manifest.limits.timeout_ms / 1000 + GRACE_S,
        )  # fmt: skip
        try:
            return await self.client.send(request, follow_redirects=False)
        except httpx.HTTPError as error:
            raise Failed(f"{letter.method} {letter.path}: {type(error).__name__}") from error

    async def call(self, app: str, operation: str, asked: Any, citizen: Citizen, lang: str) -> Any:
        """One checked answer. Raises ShopError, WrongAnswer, Failed."""
        if operation == "event":
            return await self._tell(asked)
        if operation == "raw":
            return await self._raw(app, asked, citizen)
        if self._manifest.contract == 1 and operation == "progress.get":
            found = await self.call(app, "progress.list", ProgressQuery(asked, 1), citizen, lang)
            return found[0] if found else fail("progress.list with an id: an empty list")
        extra = [(b"accept-language", lang.encode())]
        letter = self.letter(app, operation, asked, citizen, extra=extra)
        return read(operation, asked, await self.send(letter))

    async def _raw(self, app: str, asked: RawAsk, citizen: Citizen) -> RawAnswer:
        path = self.path(app, f"raw{asked.path}")
        letter = letters.signed(
            path, None, self.vouched(app, citizen), pen=self.pen, method=asked.method, query=asked.query,
            extra=[(b"content-type", asked.media.encode())] if asked.media else None,
        )  # fmt: skip
        if any(not one.signed for one in self._routes(app, asked)):
            letter = letters.without(letter, b"signature", b"signature-input")
        reply = await self.send(letters.altered(letter, body=asked.body))
        if media(reply) == PROBLEM:
            refusal(reply)
        answer = RawAnswer(reply.content, reply.headers.get("content-type", ""), reply.status_code)
        return fits("raw", asked, answer)

    def _routes(self, app: str, asked: RawAsk) -> list[RawRoute]:
        """What the manifest declares for a raw call."""
        declared = self._manifest.app(app)
        return [
            one for one in (declared.raw if declared else [])
            if one.method == asked.method and match(one.path, asked.path) is not None
        ]  # fmt: skip

    async def _tell(self, event: Event) -> None:
        reply = await self.send(self.webhook(event))
        hold(reply.is_success, f"an event: {told(reply)}, want 2xx")

    def webhook(self, event: Event, *, now: int | None = None, secret: str = letters.WEBHOOK_SECRET) -> Letter:  # fmt: skip
        """An event as Standard Webhooks have it."""
        hooks = self._manifest.webhooks
        news = webhooks.CloudEvent(
            id=event.id, source=letters.ISSUER, type=f"{webhooks.TYPE_PREFIX}{event.type}", time=event.at,
            subject=event.subject, data=event.data,
        )  # fmt: skip
        headers, body = webhooks.sign(secret, news, letters.seconds() if now is None else now)
        return Letter("POST", self.base + (hooks.path if hooks else "/events"), headers, body)

    def hand_in(self, case_id: str, code: str, body: bytes, media: Any) -> Handed:
        """A material, as the platform would keep it."""
        return keep(self.kept, case_id, code, body, media)


_ALWAYS: Final = [
    (b"accept", b"application/json, application/problem+json"),
    (b"accept-encoding", b"identity"),
]


def media(reply: httpx.Response) -> str:
    """The media type, without parameters."""
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def told(reply: httpx.Response) -> str:
    """An answer in a few words."""
    return f"{reply.status_code} {media(reply)} {reply.content[:TOLD].decode(errors='replace')}"


def problem(reply: httpx.Response) -> Said:
    """A problem+json. Raises Failed where it is none."""
    hold(media(reply) == PROBLEM, f"{told(reply)}, want {PROBLEM}")
    try:
        return msgspec.json.decode(reply.content, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Failed(f"{told(reply)}: no problem+json: {error}") from error


def read(operation: str, asked: Any, reply: httpx.Response) -> Any:
    """A typed answer out of a reply. Raises ShopError, WrongAnswer, Failed."""
    applying = operation in {"apply.submit", "apply.supplement", "apply.withdraw"}
    expected = OUTCOMES if applying and media(reply) != PROBLEM else {200: ""}
    if reply.status_code not in expected:
        refusal(reply)
    hold(media(reply) == JSON, f"{operation}: {told(reply)}, want {JSON}")
    answer = decoded(operation, asked, reply.content)
    if applying and answer.state != OUTCOMES[reply.status_code]:
        raise WrongAnswer("status", f"{reply.status_code} with an application {answer.state}")
    return answer


def refusal(reply: httpx.Response) -> Any:
    """Raise what a problem says. Raises ShopError, Failed."""
    said = problem(reply)
    match reply.status_code, said.kind:
        case 404, "not-found":
            raise NotFound(said.detail)
        case 409, "refused":
            raise Refused(said.detail)
        case 422, "bad-form":
            raise BadForm(*said.errors)
        case 503, "unavailable":
            raise Unavailable(said.detail)
        case _:
            fail(f"{told(reply)} instead of an answer")


async def discover(url: str, client: httpx.AsyncClient) -> Manifest:
    """The manifest that a shop publishes. Raises Failed."""
    at = url.rstrip("/") + DISCOVERY
    try:
        reply = await client.get(at, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Failed(f"GET {at}: {type(error).__name__}: {error}") from error
    return published(reply)[1]


def published(reply: httpx.Response) -> tuple[Discovery, Manifest]:
    """What a discovery document says. Raises Failed."""
    hold(
        reply.status_code == OK and media(reply) == JSON,
        f"GET {DISCOVERY}: {told(reply)}",
    )
    try:
        found = msgspec.json.decode(reply.content, type=Discovery)
        return found, parse_manifest(bytes(found.manifest))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, BadManifest) as error:
        raise Failed(f"GET {DISCOVERY}: {error}") from error


@asynccontextmanager
async def connect(url: str, transport: httpx.AsyncBaseTransport | None = None) -> AsyncGenerator[Remote]:  # fmt: skip
    """The shop at `url`. Raises Failed where there is none."""
    async with httpx.AsyncClient(trust_env=False, transport=transport, timeout=10) as client:
        yield Remote(url, await discover(url, client), client)
