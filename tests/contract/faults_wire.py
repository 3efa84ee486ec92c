"""One fault for each check of the wire: what stands between the kit and the sound shop does wrong.

Faults of the guard are made by forgiving: a request that the sound shop would refuse is signed anew,
as the platform would have, when it has just that one thing wrong; so it is let in.
"""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Callable
from typing import Any, Final

import httpx
import msgspec
from tests.contract.between import (
    ALWAYS_FRESH,
    GOOD,
    HERE,
    PROBE,
    Asked,
    Fault,
    Next,
    anew,
    believing,
    forgiving,
    instead,
    is_body,
    is_discovery,
    is_probe,
    member,
    replying,
    rewriting,
    with_body,
    with_headers,
)

from shopkit import webhooks
from shopkit.kit import letters
from shopkit.kit.letters import IMPOSTOR, WEBHOOK_SECRET
from shopkit.sandbox import PLATFORM_KID
from shopkit.signatures import CALLBACK_TAG, Memory


def other_manifest(reply: httpx.Response) -> httpx.Response:
    said = msgspec.json.decode(reply.content)
    return member(reply, manifest=said["manifest"] | {"icon": "other"})


async def slow(asked: Asked, go: Next) -> httpx.Response:
    if asked.header("civicmall-deadline-ms") == "500":
        await asyncio.sleep(1.6)
    return await go(asked)


def mixed_up() -> Fault:
    """Answers whoever asks at the same moment with the last one's."""
    inside: list[int] = []
    last: list[httpx.Response] = []

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        if not is_probe(asked):
            return await go(asked)
        inside.append(1)
        try:
            await asyncio.sleep(0)
            together = len(inside) > 1
            reply = await go(asked)
            last.append(reply)
            return last[-2] if together and len(last) > 1 else reply
        finally:
            inside.pop()

    return fault


def shows(reply: httpx.Response) -> httpx.Response:
    return member(reply, detail="Traceback (most recent call last): …")


async def strict_clock(asked: Asked, go: Next) -> httpx.Response:
    created = _created(asked)
    if asked.app and created and 60 < abs(letters.seconds() - created) < 200:
        return await go(msgspec.structs.replace(asked, headers=[]))
    return await go(asked)


def _created(asked: Asked) -> int:
    found = re.search(r";created=(\d+)", asked.header("signature-input"))
    return int(found[1]) if found else 0


async def unsigned(asked: Asked) -> bool:
    return not asked.header("signature-input")


async def by_stranger(asked: Asked) -> bool:
    return not await asked.wrong(keys={PLATFORM_KID: IMPOSTOR.public}.get)


async def by_unknown(asked: Asked) -> bool:
    return not await asked.wrong(keys={"stranger-1": IMPOSTOR.public}.get)


async def by_public_key(asked: Asked) -> bool:
    public = letters.PLATFORM.key.public.public_bytes_raw()
    return not await asked.wrong(keys={PLATFORM_KID: public}.get)


async def for_callbacks(asked: Asked) -> bool:
    return not await asked.wrong(tag=CALLBACK_TAG)


async def other_method(asked: Asked) -> bool:
    return bool(await asked.wrong()) and not await asked.wrong(method="PUT")


async def other_path(asked: Asked) -> bool:
    elsewhere = asked.path.rpartition("/")[0] + "/another.operation"
    return bool(await asked.wrong()) and not await asked.wrong(path=elsewhere)


async def other_query(asked: Asked) -> bool:
    return bool(asked.query) and not await asked.wrong(query="")


async def longer_body(asked: Asked) -> bool:
    return bool(await asked.wrong()) and not await asked.wrong(body=asked.body[:-1])


async def longer_body_with_digest(asked: Asked) -> bool:
    body = asked.body[:-1]
    digest = next(v for n, v in anew(asked, body=body).headers if n == b"content-digest")
    headers = [(n, digest if n == b"content-digest" else v) for n, v in asked.headers]
    if headers == asked.headers or not await asked.wrong():
        return False
    return not await asked.wrong(body=body, headers=headers)


async def no_digest(asked: Asked) -> bool:
    return bool(asked.body) and not asked.header("content-digest") and not await asked.wrong(body=b"")  # fmt: skip


async def loose_assertion(asked: Asked) -> bool:
    bare = [h for h in asked.headers if h[0] != b"civicmall-assertion"]
    return bare != asked.headers and not await asked.wrong(headers=bare)


def untimely(*, behind: bool) -> Fault:
    async def when(asked: Asked) -> bool:
        off = _created(asked) < letters.seconds()
        return off == behind and bool(await asked.wrong()) and not await asked.wrong(skew_s=ALWAYS_FRESH)  # fmt: skip

    return forgiving(when)


async def no_nonce(asked: Asked) -> bool:
    return (await asked.wrong()).endswith("nonce is missing")


class Forgetful(Memory):
    """Lets a nonce in again: with the same request, or under another time."""

    def __init__(self, *, same: bool) -> None:
        super().__init__()
        self._same = same
        self._first: dict[str, int] = {}

    async def seen(self, keyid: str, nonce: str, until: int) -> bool:
        first = self._first.setdefault(nonce, until)
        before = await super().seen(keyid, nonce, until)
        return before and (first == until) != self._same


def payload(asked: Asked, number: int) -> dict[str, Any]:
    """Header (0) or claims (1) of the assertion; empty where they can't be read."""
    from joserfc.util import urlsafe_b64decode

    try:
        part = asked.header("civicmall-assertion").split(".")[number]
        found = msgspec.json.decode(urlsafe_b64decode(part.encode()), type=dict[str, Any])
    except (ValueError, IndexError, msgspec.MsgspecError):
        return {}
    return found


def is_garbage(asked: Asked) -> bool:
    token = asked.header("civicmall-assertion")
    return token in {"garbage", "a.b.c", "....", "e30.e30.e30"} or token.endswith("..")


def is_broken(asked: Asked) -> bool:
    said = asked.header("signature-input")
    present = any(name == b"signature-input" for name, _ in asked.headers)
    return present and "nonce=" not in said and "alg=" not in said


def hearing(when: Callable[[Asked], object]) -> Fault:
    """Believes events that it shouldn't."""

    async def fault(asked: Asked, go: Next) -> httpx.Response:
        if asked.path != "/events" or not when(asked):
            return await go(asked)
        event = msgspec.json.decode(asked.body, type=webhooks.CloudEvent)
        headers, body = webhooks.sign(WEBHOOK_SECRET, event, letters.seconds())
        return await go(msgspec.structs.replace(asked, headers=headers, body=body))

    return fault


def by_other_secret(asked: Asked) -> bool:
    from shopkit.kit.events import OTHER_SECRET

    try:
        webhooks.verify(OTHER_SECRET, asked.headers, asked.body, letters.seconds())
    except webhooks.BadWebhook:
        return False
    return True


async def truncating(asked: Asked, go: Next) -> httpx.Response:
    if asked.raw and len(asked.body) > 100:
        return await go(msgspec.structs.replace(asked, body=asked.body[:100]))
    return await go(asked)


def path_of(app: str, operation: str, contract: int = 2) -> Callable[[Asked], bool]:
    return lambda asked: asked.path == f"/v{contract}/apps/{app}/{operation}"


FAULTS: Final[dict[str, Any]] = {
    "discovery-is-public": instead(is_discovery, 401, b"{}", content_type="application/problem+json"),
    "discovery-names-its-manifest": replying(is_discovery, lambda r: member(r, version="9.9.9")),
    "discovery-says-its-contracts": replying(is_discovery, lambda r: member(r, contracts=[1])),
    "answer-is-json": replying(
        is_probe, lambda r: with_headers(r, content_type="application/json; charset=gb18030")
        if r.is_success else r
    ),
    "answer-is-not-compressed": replying(
        is_probe, lambda r: with_body(r, gzip.compress(r.content), content_encoding="gzip")
    ),
    "answer-sets-no-cookie": replying(is_probe, lambda r: with_headers(r, set_cookie="a=b")),
    "get-of-an-operation-is-declined": rewriting(
        lambda a: a.method == "GET" and is_probe(a), method="POST", body=GOOD
    ),
    "redirects-are-never-sent": instead(
        lambda a: a.path == HERE + "/", 308, location=HERE
    ),
    "undeclared-app-is-not-found": rewriting(path_of("no_such_app", "progress.list"), path=HERE),
    "unknown-operation-is-not-found": rewriting(path_of("matters", "no-such.operation"), path=HERE),
    "undeclared-operation-is-not-found": rewriting(path_of("matters", "bills.list"), path=HERE),
    "unknown-contract-is-not-found": rewriting(path_of(*PROBE, 99), path=HERE),
    "contract-1-is-still-spoken": rewriting(path_of(*PROBE, 1), path="/v1/apps/gone/progress.list"),
    "deadline-is-honoured": slow,
    "strange-headers-are-ignored": instead(
        lambda a: a.header("x-unheard-of"), 400, b"{}", content_type="application/problem+json"
    ),
    "citizens-at-once-are-told-apart": mixed_up(),
    "problems-are-problem-json": replying(is_body(b"}{"), lambda r: member(r, detail=None)),
    "problems-say-which-proof-is-wrong": replying(
        lambda a: a.header("civicmall-assertion") == "a.b.c", lambda r: member(r, type="signature")
    ),
    "problems-keep-the-inside-to-themselves": replying(is_body(b"{"), shows),
    "manifest-fits-what-is-served": replying(is_discovery, other_manifest),
    "body-that-is-no-json-is-declined": rewriting(is_body(b'{"limit": '), body=GOOD),
    "body-that-is-empty-is-declined": rewriting(
        lambda a: is_body(b"")(a) and a.method == "POST", body=GOOD
    ),
    "body-of-another-type-is-declined": rewriting(is_body(b"[1, 2]"), body=GOOD),
    "body-null-is-declined": rewriting(is_body(b"null"), body=GOOD),
    "body-that-is-no-utf8-is-declined": rewriting(is_body(b'{"\xff\xfe": 1}'), body=GOOD),
    "body-with-two-documents-is-declined": rewriting(is_body(GOOD + GOOD), body=GOOD),
    "body-that-is-deep-is-survived": instead(lambda a: b"[" * 99 in a.body, 500),
    "body-that-is-too-large-is-declined": rewriting(lambda a: len(a.body) > 10**6, body=GOOD),
    "body-with-a-member-of-tomorrow-is-no-fault": instead(lambda a: b"of_tomorrow" in a.body, 500),
    "unsigned-is-refused": forgiving(unsigned),
    "signature-that-is-garbage-is-refused": instead(is_broken, 500),
    "signature-of-a-stranger-is-refused": forgiving(by_stranger),
    "signature-with-the-public-key-as-a-secret-is-refused": forgiving(by_public_key),
    "signature-of-an-unknown-key-is-refused": forgiving(by_unknown),
    "signature-for-callbacks-is-refused": forgiving(for_callbacks),
    "signature-of-another-method-is-refused": forgiving(other_method),
    "signature-of-another-path-is-refused": forgiving(other_path),
    "signature-of-another-query-is-refused": forgiving(other_query),
    "body-altered-is-refused": forgiving(longer_body),
    "body-and-digest-altered-is-refused": forgiving(longer_body_with_digest),
    "body-without-digest-is-refused": forgiving(no_digest),
    "assertion-that-is-not-covered-is-refused": forgiving(loose_assertion),
    "created-long-ago-is-refused": untimely(behind=True),
    "created-in-the-future-is-refused": untimely(behind=False),
    "clocks-may-differ-by-minutes": strict_clock,
    "nonce-that-came-before-is-refused": Forgetful(same=True),
    "nonce-under-another-time-is-refused": Forgetful(same=False),
    "nonce-that-is-missing-is-refused": forgiving(no_nonce),
    "assertion-that-is-missing-is-refused": believing(lambda a: not a.header("civicmall-assertion")),
    "assertion-that-is-garbage-is-refused": instead(is_garbage, 500),
    "assertion-of-a-stranger-is-refused": believing(
        lambda a: not a.unbelieved(keys={PLATFORM_KID: IMPOSTOR.public}.get)
    ),
    "assertion-of-an-unknown-key-is-refused": believing(
        lambda a: not a.unbelieved(keys={"stranger-1": IMPOSTOR.public}.get)
    ),
    "assertion-that-has-expired-is-refused": believing(lambda a: "s ago" in a.unbelieved()),
    "assertion-of-the-future-is-refused": believing(lambda a: "issued" in a.unbelieved()),
    "assertion-for-another-shop-is-refused": believing(
        lambda a: not a.unbelieved(audience="another_shop")
    ),
    "assertion-for-another-app-is-refused": believing(lambda a: "another app" in a.unbelieved()),
    "assertion-altered-is-refused": believing(
        lambda a: str(payload(a, 1).get("sub")).endswith("-other")
    ),
    "assertion-without-algorithm-is-refused": believing(lambda a: payload(a, 0).get("alg") == "none"),
    "assertion-with-a-mac-is-refused": believing(lambda a: payload(a, 0).get("alg") == "HS256"),
    "assertion-of-another-kind-is-refused": believing(lambda a: payload(a, 0).get("typ") == "at+jwt"),
    "raw-unsigned-is-refused": forgiving(unsigned, raw=True),
    "raw-body-too-large-is-declined": truncating,
    "event-unsigned-is-refused": hearing(lambda a: not a.header("webhook-signature")),
    "event-by-another-secret-is-refused": hearing(by_other_secret),
    "event-altered-is-refused": hearing(lambda a: b"subjecx" in a.body),
    "event-of-long-ago-is-refused": hearing(
        lambda a: letters.seconds() - int(a.header("webhook-timestamp")) > 300
    ),
    "event-of-tomorrow-is-taken": instead(lambda a: b"unheard.of" in a.body, 404),
}  # fmt: skip
"""By check: what goes wrong between the kit and the shop."""

APPS: Final = ("matters", "files")
"""Whose own checks are made besides: the one that the checks of the wire ask, and a raw one. The
other apps differ in what they answer, not in how they are reached.
"""
READS: Final = "It reads the discovery document."
ALSO: Final[dict[str, dict[str, str]]] = {
    "discovery-is-public": {
        "discovery-names-its-manifest": READS,
        "discovery-says-its-contracts": READS,
        "contract-1-is-still-spoken": READS,
        "manifest-fits-what-is-served": READS,
    },
}
"""By check: which others a shop with its fault can't but fail, and why."""
