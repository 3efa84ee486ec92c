"""Whether a shop's answer can travel at all: not too large, and JSON that we can keep.

The check of an answer against its type runs in C and lets no other thread run meanwhile, so a
million items would stop the whole process. `weigh` walks in Python, which gives way, and ends at
the limit; it comes first.
"""

from __future__ import annotations

from typing import Any, Final, cast

import msgspec
from msgspec import Struct

from shopkit.answers import WrongAnswer

PARTS_MAX: Final = 150_000
"""Values in one answer: a hundred matters of fifty steps, as full as they may be, have fewer."""
TEXT_MAX: Final = 1024 * 1024
"""Characters in one answer, all texts together: as much as we let a client send us."""
TEXTS: Final = (str, bytes, bytearray)
HOLDERS: Final = (Struct, dict, list, tuple, set, frozenset)
NUL: Final = b"\\u0000"
"""As JSON writes it. PostgreSQL keeps no text with it."""


def weigh(answer: Any) -> None:
    """Raises WrongAnswer for an answer with too many parts or too much text."""
    parts, text = 0, 0
    pending: list[Any] = [(answer,)]
    while pending:
        inner = _inside(pending.pop())
        parts += len(inner)
        if parts > PARTS_MAX:
            raise WrongAnswer("size", f"more than {PARTS_MAX} values")
        for part in inner:
            if isinstance(part, TEXTS):
                text += len(part)
            elif isinstance(part, HOLDERS):
                pending.append(part)
        if text > TEXT_MAX:
            raise WrongAnswer("size", f"more than {TEXT_MAX} characters")


def _inside(holder: Any) -> Any:
    """What a container holds, without copying what may be large."""
    if isinstance(holder, Struct):
        return msgspec.structs.astuple(holder)
    if isinstance(holder, dict):
        members = cast("dict[Any, Any]", holder)
        return (tuple(members), *members.values()) if len(members) <= PARTS_MAX else members
    return holder


def sendable(answer: Any) -> None:
    """Raises WrongAnswer for a checked answer that JSON or PostgreSQL can't hold."""
    try:
        said = msgspec.json.encode(answer)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise WrongAnswer("json", str(error)[:300]) from error
    if NUL in said:
        raise WrongAnswer("json", "a text with a NUL character")
