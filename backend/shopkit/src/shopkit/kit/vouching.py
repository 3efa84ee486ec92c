"""Checks of identity assertions: for whom a request is, as the platform says and nobody else."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec

from ..assertion import LIFE_S_MAX, TYPE  # noqa: TID252 (the package is one thing)
from ..keys import text_of  # noqa: TID252 (the same)
from ..sandbox import PLATFORM_KID  # noqa: TID252 (the same)
from .bench import Bench
from .checks import check
from .letters import IMPOSTOR, PLATFORM, Pen, claims_of, seconds, token
from .security import LONG_AGO_S
from .sound import Sound, sound

on_vouching = partial(check, "vouching", needs="wire", once=True)


async def refused(one: Sound, vouched: str | None) -> None:
    """That the question, well signed with this assertion, is refused with 401."""
    await one.refused(one.letter(vouched=vouched))


def vouched(one: Sound, *, now: int | None = None, pen: Pen = PLATFORM, **changed: Any) -> str:
    """The right assertion but for what is changed."""
    said = claims_of(one.remote.manifest.id, one.app.id, one.citizen, now or seconds())
    return token(msgspec.structs.replace(said, **changed), pen)


def part(what: object) -> bytes:
    """One part of a JWT."""
    return urlsafe_b64encode(msgspec.json.encode(what)).rstrip(b"=")


@on_vouching()
async def assertion_that_is_missing_is_refused(b: Bench) -> None:
    """A signed question that doesn't say for whom it is is refused (401)."""
    await refused(await sound(b), None)


@on_vouching()
async def assertion_that_is_garbage_is_refused(b: Bench) -> None:
    """An assertion that can't be read is refused (401), not a fault."""
    one = await sound(b)
    for garbage in ("garbage", "a.b.c", "eyJhbGciOiJFZERTQSJ9..", "....", "e30.e30.e30"):
        await refused(one, garbage)


@on_vouching()
async def assertion_of_a_stranger_is_refused(b: Bench) -> None:
    """An assertion signed by another key, under the name of the platform's, is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, pen=Pen(IMPOSTOR)))


@on_vouching()
async def assertion_of_an_unknown_key_is_refused(b: Bench) -> None:
    """An assertion under a key's name that the shop doesn't trust is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, pen=Pen(IMPOSTOR, "stranger-1")))


@on_vouching()
async def assertion_that_has_expired_is_refused(b: Bench) -> None:
    """An assertion that expired more than five minutes ago is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, now=seconds() - LONG_AGO_S - LIFE_S_MAX))


@on_vouching()
async def assertion_of_the_future_is_refused(b: Bench) -> None:
    """An assertion issued more than five minutes ahead of the clock is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, now=seconds() + LONG_AGO_S))


@on_vouching()
async def assertion_for_another_shop_is_refused(b: Bench) -> None:
    """An assertion for another shop (`aud`) is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, aud="another_shop"))


@on_vouching()
async def assertion_for_another_app_is_refused(b: Bench) -> None:
    """An assertion for another app than the address names is refused (401)."""
    one = await sound(b)
    await refused(one, vouched(one, app="another_app"))


@on_vouching()
async def assertion_altered_is_refused(b: Bench) -> None:
    """An assertion whose claims were altered after signing is refused (401)."""
    one = await sound(b)
    head, _, tail = vouched(one).split(".")
    said = claims_of(one.remote.manifest.id, one.app.id, one.citizen, seconds())
    other = part(msgspec.structs.replace(said, sub=f"{said.sub}-other")).decode()
    await refused(one, f"{head}.{other}.{tail}")


def forged(one: Sound, alg: str) -> bytes:
    """Header and claims of an assertion with another algorithm."""
    said = claims_of(one.remote.manifest.id, one.app.id, one.citizen, seconds())
    return part({"alg": alg, "typ": TYPE, "kid": PLATFORM_KID}) + b"." + part(said)


@on_vouching()
async def assertion_without_algorithm_is_refused(b: Bench) -> None:
    """An assertion with `alg` none, which nobody signed, is refused (401)."""
    one = await sound(b)
    await refused(one, (forged(one, "none") + b".").decode())


@on_vouching()
async def assertion_with_a_mac_is_refused(b: Bench) -> None:
    """An assertion with `alg` HS256 under the platform's public key is refused (401)."""
    one = await sound(b)
    text = forged(one, "HS256")
    for secret in (text_of(PLATFORM.key.public).encode(), PLATFORM.key.public.public_bytes_raw()):
        mac = urlsafe_b64encode(hmac.digest(secret, text, sha256)).rstrip(b"=")
        await refused(one, (text + b"." + mac).decode())


@on_vouching()
async def assertion_of_another_kind_is_refused(b: Bench) -> None:
    """A token of the platform's for another purpose (`typ`) is no assertion, and is refused (401)."""
    one = await sound(b)
    said = claims_of(one.remote.manifest.id, one.app.id, one.citizen, seconds())
    text = part({"alg": "EdDSA", "typ": "at+jwt", "kid": PLATFORM_KID}) + b"." + part(said)
    signature = urlsafe_b64encode(PLATFORM.key.private.sign(text)).rstrip(b"=")
    await refused(one, (text + b"." + signature).decode())
