"""Checks of signatures (RFC 9421): each request is the platform's own, whole, fresh, and comes once."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from ..shop import needs  # noqa: TID252 (the package is one thing)
from ..signatures import CALLBACK_TAG, SKEW_S  # noqa: TID252 (the same)
from . import letters
from .bench import Bench, bench_of
from .checks import Failed, check
from .letters import IMPOSTOR, PLATFORM, Letter, Pen, altered, replaced, seconds, without
from .sound import Sound, remote_of, sound

on_security = partial(check, "security", needs="wire", once=True)
LONG_AGO_S: Final = SKEW_S + 120
"""Well beyond the five minutes that clocks may differ."""


async def refused(b: Bench, **how: Any) -> None:
    """That the question, well made but for `how`, is refused with 401."""
    one = await sound(b)
    await one.refused(one.letter(**how))


@on_security()
async def unsigned_is_refused(b: Bench) -> None:
    """A question without a signature is refused (401), at every operation of every app."""
    remote = remote_of(b)
    for app in b.manifest.apps:
        citizen = bench_of(remote, app).citizen(b.people[0])
        for capability in app.capabilities:
            for operation in needs(capability, b.manifest.contract):
                if operation == "raw":
                    continue
                one = Sound(remote, app, operation, {}, citizen)
                bare = without(one.letter(), b"signature", b"signature-input")
                try:
                    await one.refused(bare)
                except Failed as error:
                    raise Failed(f"{app.id} {operation}: {error.seen}") from error


@on_security()
async def signature_that_is_garbage_is_refused(b: Bench) -> None:
    """A signature header that can't be read is refused (401), not a fault."""
    one = await sound(b)
    for value in (b"civicmall=((", b"\xe4\xbd\xa0", b"civicmall=();created=now"):
        await one.refused(replaced(one.letter(), b"signature-input", value))


@on_security()
async def signature_of_a_stranger_is_refused(b: Bench) -> None:
    """A signature by another key, under the name of the platform's, is refused (401)."""
    await refused(b, pen=remote_of(b).pen.forged)


@on_security()
async def signature_of_an_unknown_key_is_refused(b: Bench) -> None:
    """A signature under a key's name that the shop doesn't trust is refused (401)."""
    await refused(b, pen=Pen(IMPOSTOR, "stranger-1"))


@on_security()
async def signature_for_callbacks_is_refused(b: Bench) -> None:
    """A signature with the tag of callbacks, which shops make, is refused (401)."""
    await refused(b, pen=replace(remote_of(b).pen, tag=CALLBACK_TAG))


@on_security()
async def signature_with_the_public_key_as_a_secret_is_refused(b: Bench) -> None:
    """An HMAC made with the platform's public key, under its name, is refused (401)."""
    await refused(b, pen=Pen(IMPOSTOR, shared=PLATFORM.key.public.public_bytes_raw()))


@on_security()
async def signature_of_another_method_is_refused(b: Bench) -> None:
    """A question signed as PUT and sent as POST is refused (401)."""
    one = await sound(b)
    await one.refused(altered(one.letter(method="PUT"), method="POST"))


@on_security()
async def signature_of_another_path_is_refused(b: Bench) -> None:
    """A question signed for another operation's address is refused (401)."""
    one = await sound(b)
    elsewhere = one.letter(path=one.remote.path(one.app.id, "another.operation"))
    await one.refused(altered(elsewhere, path=one.path))


@on_security()
async def signature_of_another_query_is_refused(b: Bench) -> None:
    """A query that was added after signing is refused (401)."""
    one = await sound(b)
    await one.refused(altered(one.letter(), query="limit=1"))


@on_security()
async def body_altered_is_refused(b: Bench) -> None:
    """A body that was altered after signing doesn't fit its digest, and is refused (401)."""
    one = await sound(b)
    await one.refused(altered(one.letter(), body=one.body + b" "))


@on_security()
async def body_and_digest_altered_is_refused(b: Bench) -> None:
    """A body altered together with its digest doesn't fit the signature, and is refused (401)."""
    one = await sound(b)
    other = one.letter(body=one.body + b" ")
    digest = next(value for name, value in other.headers if name == b"content-digest")
    await one.refused(altered(replaced(one.letter(), b"content-digest", digest), body=other.body))


@on_security()
async def body_without_digest_is_refused(b: Bench) -> None:
    """A body that the signature doesn't cover is refused (401)."""
    one = await sound(b)
    bare = letters.signed(one.path, None, one.vouched, pen=one.remote.pen)
    await one.refused(altered(bare, headers=[*bare.headers, letters.JSON], body=one.body))


@on_security()
async def assertion_that_is_not_covered_is_refused(b: Bench) -> None:
    """An assertion that the signature doesn't cover is refused (401): it could be another's."""
    one = await sound(b)
    bare = letters.signed(one.path, one.body, None, pen=one.remote.pen)
    loose = (b"civicmall-assertion", one.vouched.encode())
    await one.refused(altered(bare, headers=[*bare.headers, loose]))


@on_security()
async def created_long_ago_is_refused(b: Bench) -> None:
    """A signature made longer ago than five minutes is refused (401)."""
    await refused(b, now=seconds() - LONG_AGO_S)


@on_security()
async def created_in_the_future_is_refused(b: Bench) -> None:
    """A signature made more than five minutes ahead of the clock is refused (401)."""
    await refused(b, now=seconds() + LONG_AGO_S)


@on_security()
async def clocks_may_differ_by_minutes(b: Bench) -> None:
    """A signature made two minutes ago, or ahead of the clock by as much, is accepted."""
    one = await sound(b)
    for differ_s in (-120, 120):
        reply = await one.send(one.letter(now=seconds() + differ_s))
        if not reply.is_success:
            raise Failed(f"{reply.status_code} for a clock that is {differ_s} s off")


@on_security()
async def nonce_that_came_before_is_refused(b: Bench) -> None:
    """The same request a second time is refused (401)."""
    one = await sound(b)
    letter = one.letter()
    await one.send(letter)
    await one.refused(letter)


@on_security()
async def nonce_under_another_time_is_refused(b: Bench) -> None:
    """A nonce that came before is refused (401), though time and signature are new."""
    one = await sound(b)
    nonce = letters.fresh_nonce()
    await one.send(one.letter(nonce=nonce, now=seconds() - 1))
    await one.refused(one.letter(nonce=nonce))


@on_security()
async def nonce_that_is_missing_is_refused(b: Bench) -> None:
    """A signature without a nonce is refused (401)."""
    one = await sound(b)
    await one.refused(_unstamped(one))


def _unstamped(one: Sound) -> Letter:
    """Signed rightly, but for the nonce that the parameters lack."""
    lines = {
        "@method": "POST", "@path": one.path, "@query": "?",
        "content-digest": "", "civicmall-assertion": "",
    }  # fmt: skip
    letter = one.letter()
    lines |= {n.decode(): v.decode() for n, v in letter.headers if n.decode() in lines}
    said = next(v for n, v in letter.headers if n == b"signature-input")
    params = _WITHOUT.sub(b"", said).removeprefix(b"civicmall=")
    base = "".join(f'"{name}": {value}\n' for name, value in lines.items())
    signature = one.remote.pen.signer.sign(base.encode() + b'"@signature-params": ' + params)
    unstamped = replaced(letter, b"signature-input", b"civicmall=" + params)
    return replaced(unstamped, b"signature", b"civicmall=:" + b64encode(signature) + b":")


_WITHOUT: Final = re.compile(rb';nonce="[^"]*"')
