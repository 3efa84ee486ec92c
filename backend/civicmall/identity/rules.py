"""Decisions of the identity centre: pure, tested without a database."""

from __future__ import annotations

import hashlib
import hmac
from datetime import date
from typing import Any, Final

import msgspec
from stdnum.cn import ric

CODE_VALID_S: Final = 300
"""Five minutes: long enough for a slow text message, short enough for a lost phone."""
CODE_TRIES: Final = 5
CODE_WINDOW_S: Final = 600
CODES_PER_WINDOW: Final = 10
CODES_PER_DAY: Final = 60
WRONG_PER_DAY: Final = 30
"""Wrong codes per phone and day: one guesser in thirty thousand gets in on a given day."""
STAFF_FREE_TRIES: Final = 5
RESEND_AFTER_S: Final = 30
CODES: Final = "sandbox-codes"
"""Purpose of the key that the sandbox's codes are derived with."""
ACCESS_S: Final = 600
"""Life of an access token: what a stolen one is worth at most."""
REFRESH_DAYS: Final = 60
GRACE_S: Final = 10.0
"""A page's parallel requests may all bring the last refresh token; later ones look stolen."""

DECLARABLE: Final[dict[str, Any]] = {
    "marital_status": str,
    "married_on": date,
    "employment": str,
    "graduated_on": date,
    "pregnant": bool,
    "moved_on": date,
    "housing": str,
    "has_disability": bool,
    "veteran": bool,
    "low_income": bool,
    "student": bool,
    "insured_pension_years": int,
    "has_housing_fund": bool,
    "has_vehicle": bool,
    "post": str,
    "id_card_until": date,
    "driving_licence_until": date,
}
"""What a citizen may say about themselves; everything else comes from a register."""
CHOICES: Final[dict[str, frozenset[str]]] = {
    "marital_status": frozenset({"single", "married", "divorced", "widowed"}),
    "employment": frozenset({"employed", "self_employed", "unemployed", "student", "retired"}),
    "post": frozenset({"management", "worker"}),
    "housing": frozenset({"owner", "tenant", "family"}),
}


def code_hash(key: bytes, phone: str, code: str) -> bytes:
    """What is stored instead of a code."""
    return hmac.new(key, f"{phone}\0{code}".encode(), hashlib.sha256).digest()


def sandbox_code(key: bytes, phone: str, day: date) -> str:
    """The sandbox's codes stay the same for a day, so that they can be printed beforehand."""
    digest = hmac.new(key, f"{phone}\0{day}".encode(), hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"


def valid_id_number(number: str) -> bool:
    """Check digit and birth date hold (GB 11643-1999)."""
    try:
        ric.get_birth_date(number)
        return ric.calc_check_digit(number) == number[-1]
    except (ric.InvalidComponent, ric.InvalidFormat, ric.InvalidLength, ValueError):
        return False


def mask(text: str, head: int, tail: int) -> str:
    """Enough to recognise one's own, as in 138****1234 for a head of 3 and a tail of 4."""
    if len(text) <= head + tail:
        return text[:1] + "*" * (len(text) - 1)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]


def wrong_declaration(facts: dict[str, Any]) -> tuple[str, str] | None:
    """The first attribute that can't be declared so, and why; None where all can."""
    for name, value in facts.items():
        if name not in DECLARABLE:
            return name, "can't be declared"
        if value is None:
            continue
        try:
            converted = msgspec.convert(value, DECLARABLE[name])
        except msgspec.ValidationError as error:
            return name, str(error)
        if name in CHOICES and converted not in CHOICES[name]:
            return name, "one of " + ", ".join(sorted(CHOICES[name]))
        if name == "insured_pension_years" and not 0 <= converted <= 60:  # noqa: PLR2004 (a working life)
            return name, "0 to 60"
    return None
