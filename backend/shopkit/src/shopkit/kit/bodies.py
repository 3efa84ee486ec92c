"""Checks of bodies that are no question: each is declined, and the next good one is answered."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from .bench import Bench
from .checks import Failed, check, hold
from .remote import told
from .sound import sound

on_bodies = partial(check, "bodies", needs="wire", once=True)
LARGE: Final = 4 * 1024 * 1024
"""Bytes; no question of the contract has a quarter of it."""
DEEP: Final = 20_000
"""Levels; parsers that call themselves run out of stack before."""


async def declined(b: Bench, body: bytes) -> None:
    """That such a body, well signed, is declined, and the shop is there afterwards."""
    one = await sound(b)
    await one.declined(one.letter(body=body))
    await one.answers()


@on_bodies()
async def body_that_is_no_json_is_declined(b: Bench) -> None:
    """A body that is no JSON is declined with a 4xx problem."""
    await declined(b, b'{"limit": ')


@on_bodies()
async def body_that_is_empty_is_declined(b: Bench) -> None:
    """A question without a body is declined with a 4xx problem."""
    await declined(b, b"")


@on_bodies()
async def body_of_another_type_is_declined(b: Bench) -> None:
    """A JSON list where the contract has an object is declined with a 4xx problem."""
    await declined(b, b"[1, 2]")


@on_bodies()
async def body_null_is_declined(b: Bench) -> None:
    """A JSON null where the contract has an object is declined with a 4xx problem."""
    await declined(b, b"null")


@on_bodies()
async def body_that_is_no_utf8_is_declined(b: Bench) -> None:
    """A body that is not UTF-8 is declined with a 4xx problem."""
    await declined(b, b'{"\xff\xfe": 1}')


@on_bodies()
async def body_with_two_documents_is_declined(b: Bench) -> None:
    """A body with something after its JSON is declined with a 4xx problem."""
    one = await sound(b)
    await declined(b, one.body + one.body)


@on_bodies()
async def body_that_is_deep_is_survived(b: Bench) -> None:
    """A body nested thousands of levels deep is declined or ignored, and costs nobody else anything."""
    one = await sound(b)
    inner = b"[" * DEEP + b"]" * DEEP
    reply = await one.send(one.letter(body=b'{"later":' + inner + b"}"))
    hold(reply.status_code < 500, told(reply))  # noqa: PLR2004 (RFC 9110 classes)
    await one.answers()


@on_bodies()
async def body_that_is_too_large_is_declined(b: Bench) -> None:
    """A body of megabytes is declined, with a 4xx problem or a closed connection."""
    one = await sound(b)
    try:
        await one.declined(one.letter(body=b'{"later":"' + b"x" * LARGE + b'"}'))
    except Failed as error:
        if not error.seen.endswith(("WriteError", "ReadError", "RemoteProtocolError")):
            raise
    await one.answers()


@on_bodies()
async def body_with_a_member_of_tomorrow_is_no_fault(b: Bench) -> None:
    """A member that the contract doesn't know yet is ignored or declined, never a fault."""
    one = await sound(b)
    known = msgspec.json.decode(one.body)
    reply = await one.send(one.letter(body=msgspec.json.encode(known | {"of_tomorrow": [1]})))
    hold(reply.status_code < 500, told(reply))  # noqa: PLR2004 (RFC 9110 classes)
    await one.answers()
