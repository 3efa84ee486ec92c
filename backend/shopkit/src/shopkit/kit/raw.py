"""Checks of raw calls: declared methods and paths only."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from ..contract import RawAsk  # noqa: TID252 (the package is one thing)
from ..manifest import RawRoute  # noqa: TID252 (the same)
from ..signatures import ASSERTION  # noqa: TID252 (the same)
from . import letters
from .bench import UNKNOWN, Bench
from .checks import Failed, Skipped, check, hold
from .remote import told
from .sound import Sound, remote_of

on_raw = partial(check, "raw", capability="raw")
on_raw_wire = partial(check, "raw", capability="raw", needs="wire")
SEGMENT: Final = re.compile(r"\{([a-z_]+)\}")


def asked(route: RawRoute, method: str | None = None) -> RawAsk:
    """A call of a declared path, with something at each `{…}`."""
    params = dict.fromkeys(SEGMENT.findall(route.path), UNKNOWN)
    return RawAsk(method or route.method, SEGMENT.sub(UNKNOWN, route.path), params, "", "", b"")


@on_raw()
async def raw_paths_are_answered(b: Bench) -> None:
    """Each declared path that reads (GET) is answered: with a result or with a refusal."""
    for route in b.app.raw:
        if route.method == "GET":
            found = await b.answers("raw", asked(route), b.people[0])
            failed = getattr(found, "status", 0) >= 500  # noqa: PLR2004 (RFC 9110 classes)
            hold(not failed, f"GET {route.path}: {getattr(found, 'status', 0)}")


@on_raw()
async def raw_path_undeclared_is_not_found(b: Bench) -> None:
    """A path that the manifest doesn't declare is not found."""
    await b.refusal("raw", RawAsk("GET", f"/{UNKNOWN}/{UNKNOWN}", {}, "", "", b""), b.people[0])


@on_raw()
async def raw_method_undeclared_is_not_found(b: Bench) -> None:
    """A declared path by a method that the manifest doesn't declare is not found."""
    route = b.app.raw[0]
    declared = {one.method for one in b.app.raw if one.path == route.path}
    other = next((m for m in ("DELETE", "PATCH", "PUT", "POST", "GET") if m not in declared), None)
    if other is None:
        raise Skipped("every method is declared")
    await b.refusal("raw", asked(route, other), b.people[0])


@on_raw_wire()
async def raw_unsigned_is_refused(b: Bench) -> None:
    """A raw call without a signature, or without an assertion where that is enough, is refused (401)."""
    remote = remote_of(b)
    for route in b.app.raw:
        one = Sound(remote, b.app, f"raw{asked(route).path}", {}, b.citizen(b.people[0]))
        letter = one.letter(body=None, method=route.method)
        bare = letters.without(letter, b"signature", b"signature-input")
        if not route.signed:
            bare = letters.without(bare, ASSERTION.encode())
        try:
            await one.refused(bare)
        except Failed as error:
            raise Failed(f"{route.method} {route.path}: {error.seen}") from error


@on_raw_wire()
async def raw_body_too_large_is_declined(b: Bench) -> None:
    """A raw body larger than the manifest allows for its path is declined with 4xx."""
    remote = remote_of(b)
    route = next((r for r in b.app.raw if r.method != "GET"), None)
    if route is None:
        raise Skipped("no declared path takes a body")
    one = Sound(remote, b.app, f"raw{asked(route).path}", {}, b.citizen(b.people[0]))
    letter = one.letter(body=None, method=route.method)
    reply = await one.send(letters.altered(letter, body=b"x" * (route.body_max_bytes + 1)))
    hold(400 <= reply.status_code < 500, f"{told(reply)}, want 4xx")  # noqa: PLR2004 (RFC 9110 classes)
