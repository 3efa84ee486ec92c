"""Decisions about real-name levels: pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final
from uuid import UUID

from stdnum.cn import ric

CITIZEN_DAY: Final = 10
"""Wrong guesses of one account a day: a mistyped number, a name in traditional characters."""
NUMBER_DAY: Final = 20
"""Tries with one ID number a day, by whomever: nobody tries out names for a number. Whoever wants to
keep a citizen from verifying can do so for a day, with two accounts; the counter stays open."""
FACES_DAY: Final = 10
CODES_DAY: Final = 20
AGENT_DAY: Final = 20
"""Wrong codes of one agent a day: at a hundred million codes, nothing."""
FACE_S: Final = 900
"""From the start of a face check to its result."""
CODE_S: Final = 300
CODE_TRIES: Final = 3
DAYS_KEPT: Final = 2
WAYS: Final[dict[int, tuple[str, ...]]] = {
    1: ("code",), 2: ("register",), 3: ("face", "counter"),
}  # fmt: skip
"""What leads to each level."""


def ways(needed: int) -> list[str]:
    """How a citizen gets to a level."""
    return list(WAYS.get(needed, ()))


def facts_of(number: str) -> dict[str, Any]:
    """What an ID number itself tells (GB 11643-1999); it must be valid."""
    sex = "male" if int(number[16]) % 2 else "female"
    return {"birth_date": ric.get_birth_date(number).isoformat(), "sex": sex}


def code_hash(key: bytes, citizen_id: UUID, code: str) -> bytes:
    """What is stored instead of a code."""
    return hmac.new(key, citizen_id.bytes + code.encode(), hashlib.sha256).digest()
