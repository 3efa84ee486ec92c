"""Checks of the wire: addresses, answers, problems. Only of a shop at an address."""

from __future__ import annotations

import asyncio
import re
import time
from functools import partial
from typing import Any, Final

import httpx

from ..manifest import DISCOVERY, OLDEST  # noqa: TID252 (the package is one thing)
from ..shop import NEEDS  # noqa: TID252 (the same)
from . import letters
from .bench import SAMPLE, Bench, bench_of
from .checks import Skipped, check, hold, short
from .letters import Letter
from .remote import JSON, media, problem, published, read, told
from .sound import Sound, remote_of, sound

on_wire = partial(check, "wire", needs="wire", once=True)
UNAUTHORIZED: Final = 401
GATEWAY_TIMEOUT: Final = 504
SOON_MS: Final = 500
LATE_S: Final = 1.0
"""Grace for a shop that was told to answer within half a second."""
TRACE: Final = re.compile(
    rb"Traceback|\.py\b|node:internal|\bat [\w.<>]+ \(|\.(?:js|java|go|php|rb|cs):\d+|goroutine \d+",
    re.IGNORECASE,
)
"""What stack traces of common languages have in them."""


async def discovery(b: Bench) -> httpx.Response:
    """The discovery document, unsigned."""
    remote = remote_of(b)
    return await remote.send(Letter("GET", remote.base + DISCOVERY, []))


@on_wire()
async def discovery_is_public(b: Bench) -> None:
    """The discovery document answers an unsigned GET with JSON: id, version, contracts, manifest."""
    published(await discovery(b))


@on_wire()
async def discovery_names_its_manifest(b: Bench) -> None:
    """The discovery document's id and version are those of the manifest in it."""
    found, manifest = published(await discovery(b))
    hold(
        (found.id, found.version) == (manifest.id, manifest.version), f"{found.id} {found.version}"
    )


@on_wire()
async def discovery_says_its_contracts(b: Bench) -> None:
    """The contracts that the shop speaks include the one that its manifest was written for."""
    found, manifest = published(await discovery(b))
    hold(
        manifest.contract in found.contracts, f"{found.contracts}, the manifest {manifest.contract}"
    )


@on_wire()
async def answer_is_json(b: Bench) -> None:
    """An answer is application/json in UTF-8, without a byte order mark or another charset."""
    one = await sound(b)
    reply = await one.send(one.letter())
    hold(media(reply) == JSON, f"{told(reply)}, want {JSON}")
    charset = reply.charset_encoding or "utf-8"
    hold(charset.lower() in {"utf-8", "utf8"}, f"charset {charset}")
    hold(not reply.content.startswith(b"\xef\xbb\xbf"), "a byte order mark")
    read(one.operation, one.asked, reply)


@on_wire()
async def answer_is_not_compressed(b: Bench) -> None:
    """An answer is not compressed unless that was asked for."""
    one = await sound(b)
    reply = await one.send(one.letter())
    coding = reply.headers.get("content-encoding", "identity")
    hold(coding == "identity", f"content-encoding: {coding}")


@on_wire()
async def answer_sets_no_cookie(b: Bench) -> None:
    """A shop sets no cookies: it knows the citizen by the assertion alone."""
    one = await sound(b)
    reply = await one.send(one.letter())
    hold("set-cookie" not in reply.headers, "a set-cookie header")


@on_wire()
async def get_of_an_operation_is_declined(b: Bench) -> None:
    """Operations are asked by POST; a signed GET is declined with 4xx."""
    one = await sound(b)
    await one.declined(one.letter(method="GET", body=None))


@on_wire()
async def redirects_are_never_sent(b: Bench) -> None:
    """No address redirects, whatever its spelling: the platform follows none."""
    one = await sound(b)
    spellings = (one.path, one.path + "/", one.path.replace("/apps/", "//apps/"), one.path.upper())
    for path in spellings:
        reply = await one.send(one.letter(path=path))
        hold(not 300 <= reply.status_code < 400, f"{path}: {told(reply)}")  # noqa: PLR2004 (RFC 9110 classes)


async def not_found(one: Sound, app: str, operation: str, contract: int | None = None) -> None:
    """That a well-signed question there is a 404 problem not-found."""
    vouched = one.remote.vouched(app, one.citizen)
    path = one.remote.path(app, operation, contract)
    await one.refused(one.letter(path=path, vouched=vouched), 404, "not-found")


@on_wire()
async def undeclared_app_is_not_found(b: Bench) -> None:
    """An app that the manifest doesn't name is a problem not-found (404)."""
    one = await sound(b)
    await not_found(one, "no_such_app", one.operation)


@on_wire()
async def unknown_operation_is_not_found(b: Bench) -> None:
    """An operation that the contract doesn't know is a problem not-found (404)."""
    one = await sound(b)
    await not_found(one, one.app.id, "no-such.operation")


@on_wire()
async def undeclared_operation_is_not_found(b: Bench) -> None:
    """An operation of a capability that the app doesn't declare is a problem not-found (404)."""
    one = await sound(b)
    declared = {o for c in one.app.capabilities for o in NEEDS[c]}
    others = [o for of in NEEDS.values() for o in of if o not in declared and o != "raw"]
    if not others:
        raise Skipped("the app declares every operation")
    await not_found(one, one.app.id, others[0])


@on_wire()
async def unknown_contract_is_not_found(b: Bench) -> None:
    """A version of the contract that nobody speaks yet is a problem not-found (404)."""
    one = await sound(b)
    await not_found(one, one.app.id, one.operation, 99)


@on_wire()
async def contract_1_is_still_spoken(b: Bench) -> None:
    """A shop that says it speaks contract 1 answers its questions below /v1/."""
    found, manifest = published(await discovery(b))
    if 1 not in found.contracts or manifest.contract == 1:
        raise Skipped("the shop speaks one contract only")
    for app in manifest.apps:
        for operation in ("progress.list", "bills.list"):
            if (
                operation.partition(".")[0] in app.capabilities
                and operation.partition(".")[0] in OLDEST
            ):
                await _speaks_1(bench_of(b.target, app), operation)


async def _speaks_1(b: Bench, operation: str) -> None:
    remote, person = remote_of(b), b.people[0]
    asked: Any = next(p.asked for p in b.probes() if p.operation == operation)
    one = Sound(remote, b.app, operation, asked, b.citizen(person))
    older = read(
        operation, asked, await one.send(one.letter(path=remote.path(b.app.id, operation, 1)))
    )
    newer = read(operation, asked, await one.send(one.letter()))
    hold(older == newer, f"/v1/ {short(older)}, newer {short(newer)}")


@on_wire()
async def deadline_is_honoured(b: Bench) -> None:
    """By the deadline in civicmall-deadline-ms there is an answer, or a problem deadline (504)."""
    one = await sound(b)
    began = time.monotonic()
    reply = await one.send(one.letter(extra=[(b"civicmall-deadline-ms", str(SOON_MS).encode())]))
    took_s = time.monotonic() - began
    hold(took_s < SOON_MS / 1000 + LATE_S, f"{took_s:.1f} s for a deadline of {SOON_MS} ms")
    if reply.status_code == GATEWAY_TIMEOUT:
        hold(problem(reply).kind == "deadline", f"{told(reply)}, want the type deadline")


@on_wire()
async def strange_headers_are_ignored(b: Bench) -> None:
    """Headers that a shop doesn't know or can't read don't keep it from answering."""
    one = await sound(b)
    strange = [
        (b"traceparent", b"00-zz"), (b"accept-language", b"fr;q=2, *;q=x"), (b"x-unheard-of", b"1"),
        (b"civicmall-deadline-ms", b"soon"), (b"civicmall-later", b"yes"),
    ]  # fmt: skip
    reply = await one.send(one.letter(extra=strange))
    hold(reply.is_success, told(reply))


@on_wire()
async def citizens_at_once_are_told_apart(b: Bench) -> None:
    """Questions of many citizens at the same moment each get their own citizen's answer."""
    one = await sound(b)
    bench, now = bench_of(one.remote, one.app), letters.seconds()

    async def asked(number: int) -> tuple[int, bytes]:
        citizen = bench.citizen(bench.people[number])
        who = Sound(one.remote, one.app, one.operation, one.asked, citizen)
        reply = await who.send(who.letter(now=now))
        return reply.status_code, reply.content

    alone = [await asked(number) for number in range(SAMPLE)]
    together = await asyncio.gather(*(asked(number) for number in range(SAMPLE)))
    for number, (first, second) in enumerate(zip(alone, together, strict=True)):
        hold(first == second, f"citizen {number}: {second[1][:100]!r}, alone {first[1][:100]!r}")


@on_wire()
async def problems_are_problem_json(b: Bench) -> None:
    """A refusal is application/problem+json with a type, its own status, and a detail in words."""
    one = await sound(b)
    reply = await one.send(one.letter(body=b"}{"))
    said = problem(reply)
    hold(said.type, "an empty type")
    hold(said.status in {None, reply.status_code}, f"status {said.status} in a {reply.status_code}")
    hold(said.detail, "no detail: it should say what was seen")


@on_wire()
async def problems_say_which_proof_is_wrong(b: Bench) -> None:
    """A bad signature is the problem signature, a bad assertion the problem assertion."""
    one = await sound(b)
    unsigned = letters.without(one.letter(), b"signature", b"signature-input")
    for letter, kind in ((unsigned, "signature"), (one.letter(vouched="a.b.c"), "assertion")):
        reply = await one.send(letter)
        if reply.status_code == UNAUTHORIZED and media(reply).endswith("problem+json"):
            hold(problem(reply).kind == kind, f"type {problem(reply).type!r}, want {kind}")


@on_wire()
async def problems_keep_the_inside_to_themselves(b: Bench) -> None:
    """No answer shows a stack trace or the name of a source file."""
    one = await sound(b)
    odd = [
        one.letter(body=b"{"), one.letter(body=b'{"limit":{"a":1e999}}'), one.letter(body=b"\xff"),
        letters.replaced(one.letter(), b"signature", b"civicmall=:AAAA:"),
        letters.replaced(one.letter(), b"signature-input", b"civicmall=(("), one.letter(vouched="..."),
        one.letter(path=one.path + "/%00"), one.letter(body=b'"' + b"x" * 5000 + b'"'),
    ]  # fmt: skip
    for letter in odd:
        reply = await one.send(letter)
        seen = TRACE.search(reply.content)
        hold(seen is None, f"{told(reply)} (has {seen[0]!r})" if seen else "")


@on_wire()
async def manifest_fits_what_is_served(b: Bench) -> None:
    """The manifest that is published now is still the one that this check began with."""
    _, manifest = published(await discovery(b))
    hold(manifest == b.manifest, "another manifest than a moment ago")
