"""Where a shop with an address of its own is called: typed questions as signed HTTP, answers checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import msgspec
from msgspec import Struct

import shopkit
from civicmall.kernel import logs
from shopkit import (
    CONTRACTS,
    Event,
    Manifest,
    Outcome,
    ProgressQuery,
    Reason,
    assertion,
    signatures,
)
from shopkit.answers import OUTCOMES, WrongAnswer, decoded
from shopkit.manifest import DISCOVERY, OLDEST, Http, RawRoute
from shopkit.routing import DERIVED
from shopkit.shop import needs
from shopkit.signatures import ASSERTION
from shopkit.webhooks import TYPE_PREFIX, CloudEvent, sign

from .addresses import parse_base
from .facts import Facts, ShopBroken
from .http1 import Client, Reply
from .http1_errors import BadCertificate, BadReply, Forbidden, Unreachable
from .platform import Platform
from .wire import NUL, sendable

log = logs.get("gateway")
OF_1: Final = frozenset({*DERIVED, *(o for capability in OLDEST for o in needs(capability, 1))})
"""What a shop on contract 1 can be asked, some of it in its own words (`routing.DERIVED`). It hears of
no refunds and no events.
"""
DISCOVERY_MAX: Final = 512 * 1024
"""Bytes of a discovery document: the manifest with room."""
DISCOVERY_S: Final = 3.0
PROBLEM_MAX: Final = 64 * 1024
"""Bytes of a refusal that are read."""
JSON: Final = b"application/json"
PROBLEM: Final = b"application/problem+json"
REFUSALS: Final = frozenset({*signatures.CHECKS, *assertion.CHECKS})
"""What a shop may find wrong with our requests; any other word of it goes no further."""
SEEN_MAX: Final = 200
"""Characters of a shop's words that are logged."""


class Said(Struct, frozen=True):
    """A shop's problem+json, as far as it means something to us."""

    type: str = ""
    detail: str = ""
    check: str = ""
    errors: list[Reason] = []


class Discovered(Struct, frozen=True):
    """A shop's discovery document."""

    id: str
    version: str
    contracts: list[int]


class RemoteHost:
    """Calls one version of one shop."""

    keeps_time = True

    def __init__(self, manifest: Manifest, runtime: Http, platform: Platform) -> None:
        self._manifest = manifest
        self._platform = platform
        self._base = parse_base(runtime.url, https_only=platform.https_only)
        self._signer = platform.signer(manifest.id, runtime.signature)
        self.client = Client(
            self._base, platform.networks, connections_max=manifest.limits.concurrency
        )
        self.contract = manifest.contract
        """What is spoken with it; 0 where it speaks none of ours."""
        self.away = ""
        """Why it wasn't there when it was last asked; empty where it was."""
        self._served = {
            (app.id, operation)
            for app in manifest.apps
            for capability in app.capabilities
            for operation in (*needs(capability, 2), "event")
            if manifest.contract > 1 or operation in OF_1
        }
        self._answer_max = manifest.limits.answer_max_bytes

    async def start(self, secret: bytes, seed_for: date | None) -> None:
        """Ask what it speaks. A shop that is down may come later, and is called as it declared."""
        del secret, seed_for
        await self.probe()
        if self.away:
            log.warning("shop.not_yet_there", shop=self._manifest.id, error=self.away)

    async def probe(self) -> None:
        """Ask whether it is there, and what it speaks now; `away` says what came of it."""
        try:
            await self.discover()
        except (ShopBroken, WrongAnswer, TimeoutError) as error:
            self.away = str(error)[:SEEN_MAX] or "it does not answer in time"
        else:
            self.away = ""

    async def discover(self) -> Discovered:
        """Its discovery document; from now on the newest contract that both speak is used.

        Raises ShopBroken, WrongAnswer, TimeoutError.
        """
        until = asyncio.get_running_loop().time() + DISCOVERY_S
        reply = await self._send("GET", DISCOVERY, [], b"", until, DISCOVERY_MAX)
        if reply.status != 200:  # noqa: PLR2004 (RFC 9110)
            raise WrongAnswer("discovery", f"status {reply.status}")
        try:
            found = msgspec.json.decode(reply.body, type=Discovered)
        except msgspec.MsgspecError as error:
            raise WrongAnswer("discovery", str(error)[:200]) from error
        if found.id != self._manifest.id:
            raise WrongAnswer("discovery", f"it is {found.id!r}"[:100])
        declared = {c for c in CONTRACTS if c <= self._manifest.contract}
        self.contract = max(declared.intersection(found.contracts), default=0)
        if not self.contract:
            raise WrongAnswer("discovery", f"contracts {found.contracts}"[:100])
        return found

    def serves(self, app: str, operation: str) -> bool:
        """Whether the manifest declares it."""
        return (app, operation) in self._served

    async def call(self, operation: str, facts: Facts, asked: Any) -> Any:
        """One typed call. Raises as `facts.Host` says."""
        if operation == "event":
            return await self._tell(facts, asked)
        self.check_spoken(operation)
        if operation == "progress.list" and self.contract > 1 and asked.id is not None:
            return await self._one_matter(facts, asked)
        if self.contract == 1 and (instead := DERIVED.get(operation)) is not None:
            answer = await self._ask(instead.operation, facts, instead.asked(asked))
            return instead.answer(answer)
        return await self._ask(operation, facts, asked)

    def check_spoken(self, operation: str) -> None:
        """That the contract which both speak knows an operation. Raises ShopBroken."""
        if not self.contract or (self.contract == 1 and operation not in OF_1):
            raise ShopBroken("contract", f"{operation} with contract {self.contract} spoken")

    async def _one_matter(self, facts: Facts, asked: ProgressQuery) -> Any:
        """A list with an id in it: on the wire that is a question of contract 1 alone."""
        try:
            return [await self._ask("progress.get", facts, asked.id)]
        except shopkit.NotFound:
            return []

    async def _ask(self, operation: str, facts: Facts, asked: Any) -> Any:
        target = f"/v{self.contract}/apps/{facts.app}/{operation}"
        body = msgspec.json.encode(asked)
        now = int(facts.now.timestamp())
        headers = [
            (b"content-type", b"application/json"),
            (b"accept-language", facts.lang.encode()),
            (b"civicmall-deadline-ms", b"%d" % (facts.deadline_s * 1000)),
            *self._trace(facts),
            *self._signed("POST", target, "", body, facts, now),
        ]
        until = asyncio.get_running_loop().time() + facts.deadline_s
        reply = await self._send("POST", target, headers, body, until, self._answer_max)
        return read(operation, asked, reply)

    async def _tell(self, facts: Facts, event: Event) -> None:
        """An event, as Standard Webhooks have it. A 2xx is thanks enough."""
        hooks = self._manifest.webhooks
        if hooks is None or event.type not in hooks.events:
            return
        news = CloudEvent(
            id=event.id, source=self._platform.issuer, type=TYPE_PREFIX + event.type,
            time=event.at, subject=event.subject, data=event.data,
        )  # fmt: skip
        secret = self._platform.webhook_secret(self._manifest.id)
        headers, body = sign(secret, news, int(facts.now.timestamp()))
        until = asyncio.get_running_loop().time() + facts.deadline_s
        reply = await self._send(
            "POST", hooks.path, [*headers, *self._trace(facts)], body, until, PROBLEM_MAX
        )
        if not 200 <= reply.status < 300:  # noqa: PLR2004 (RFC 9110 classes)
            raise ShopBroken("webhook", f"status {reply.status}")

    def _signed(
        self, method: str, target: str, query: str, body: bytes | None, facts: Facts, now: int
    ) -> list[tuple[bytes, bytes]]:
        token = self._platform.assertion(self._manifest.id, facts.app, facts.citizen, now)
        path = self._base.prefix + target
        return self._signer.headers(method, path, query, body, token, now=now)

    def raw_headers(
        self, route: RawRoute, target: str, query: str, facts: Facts
    ) -> list[tuple[bytes, bytes]]:
        """What a raw call carries beside the caller's own: its body streams, so no digest."""
        now = int(facts.now.timestamp())
        if route.signed:
            signed = self._signed(route.method, target, query, None, facts, now)
        else:
            token = self._platform.assertion(self._manifest.id, facts.app, facts.citizen, now)
            signed = [(ASSERTION.encode(), token.encode())]
        return [*signed, *self._trace(facts), (b"accept-language", facts.lang.encode())]

    def raw_target(self, app: str, path: str) -> str:
        """Where a raw path is over there, after the shop's own address."""
        return f"/v{self.contract}/apps/{app}/raw{path}"

    def _trace(self, facts: Facts) -> list[tuple[bytes, bytes]]:
        """W3C Trace Context: the trace goes on, the span is new."""
        if not facts.trace_id:
            return []
        return [(b"traceparent", f"00-{facts.trace_id}-{facts.trace_id[:16]}-01".encode())]

    async def _send(
        self, method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes,
        until: float, body_max: int,
    ) -> Reply:  # fmt: skip
        """Raises ShopBroken, WrongAnswer, TimeoutError. Whatever we ask may be asked again: reads
        change nothing, and everything else has an id of its own.
        """
        try:
            return await self.client.request(
                method, target, headers, body, deadline=until, body_max=body_max, repeatable=True
            )
        except (Unreachable, Forbidden, BadCertificate, BadReply) as error:
            raise broken(error) from error

    async def stop(self) -> None:
        """Close its connections."""
        await self.client.close()


def broken(error: Exception) -> Exception:
    """What the client found wrong, in the gateway's words."""
    match error:
        case BadReply():
            return WrongAnswer(error.check, error.seen)
        case Forbidden():
            return ShopBroken("address", str(error))
        case BadCertificate():
            return ShopBroken("certificate", str(error))
        case _:
            return ShopBroken("unreachable", str(error))


def read(operation: str, asked: Any, reply: Reply) -> Any:
    """A typed answer out of a reply, or what it refuses. Raises as `facts.Host` says."""
    applying = operation in {"apply.submit", "apply.supplement", "apply.withdraw"}
    if reply.status == 200 or (applying and reply.status in OUTCOMES and not _problem(reply)):  # noqa: PLR2004 (RFC 9110)
        if _media(reply) != JSON:
            raise WrongAnswer("content-type", _media(reply).decode("latin-1")[:60])
        answer = decoded(operation, asked, reply.body)
        if NUL in reply.body:
            sendable(answer)
        if applying:
            _agrees(reply.status, answer)
        return answer
    return _refusal(reply)


def _agrees(status: int, outcome: Outcome) -> None:
    if OUTCOMES[status] != outcome.state:
        raise WrongAnswer("status", f"{status} with an application {outcome.state}")


def _media(reply: Reply) -> bytes:
    """The media type without its parameters, in lower case."""
    return _header(reply, b"content-type").partition(b";")[0].strip().lower()


def _problem(reply: Reply) -> bool:
    return _media(reply) == PROBLEM


def _refusal(reply: Reply) -> Any:
    """Raise what a reply other than success says."""
    said = _said(reply)
    meant: dict[tuple[int, str], Callable[[], Exception]] = {
        (404, "not-found"): lambda: shopkit.NotFound(said.detail),
        (409, "refused"): lambda: shopkit.Refused(said.detail),
        (422, "bad-form"): lambda: shopkit.BadForm(*said.errors),
        (401, "signature"): lambda: _unbelieved("signature", said),
        (401, "assertion"): lambda: _unbelieved("assertion", said),
        (504, "deadline"): TimeoutError,
    }
    kind = said.type.rpartition("/")[2].rpartition(":")[2]
    found = meant.get((reply.status, kind))
    if found is not None:
        raise found()
    if reply.status in {429, 503}:
        raise shopkit.Unavailable(retry_after_s=_retry_after(reply))
    if 300 <= reply.status < 400:  # noqa: PLR2004 (RFC 9110 classes)
        raise WrongAnswer("redirect", f"status {reply.status}; redirects are not followed")
    if reply.status >= 500:  # noqa: PLR2004 (RFC 9110 classes)
        raise ShopBroken("status", f"status {reply.status}")
    raise WrongAnswer("status", f"status {reply.status}, type {said.type[:60]!r}")


def _unbelieved(kind: str, said: Said) -> ShopBroken:
    check = said.check if said.check in REFUSALS else kind
    return ShopBroken(check, said.detail[:SEEN_MAX])


def _said(reply: Reply) -> Said:
    if not _problem(reply) or len(reply.body) > PROBLEM_MAX:
        return Said()
    try:
        return msgspec.json.decode(reply.body, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Said()


def _header(reply: Reply, name: bytes) -> bytes:
    return next((value for found, value in reply.headers if found == name), b"")


def _retry_after(reply: Reply) -> int | None:
    """Seconds, where it is a number of them; `rules.wait_s` says whether to go by it."""
    said = _header(reply, b"retry-after")
    return int(said) if said.isdigit() and len(said) < 5 else None  # noqa: PLR2004 (five digits are hours)
