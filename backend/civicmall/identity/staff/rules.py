"""Decisions about staff's passwords and second factors: pure, tested without a database."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from datetime import datetime
from typing import Final, Literal

from pyotp.totp import TOTP

STEP_S: Final = 30
"""RFC 6238's default; what every authenticator does."""
DRIFT: Final = 1
"""Steps that a phone's clock may be off, either way (RFC 6238, section 5.2)."""
TICKET_S: Final = 300
"""Between password and code: time to find the phone."""
TICKET_TRIES: Final = 5
FREE_TRIES: Final = 5
"""Codes in vain before the account waits. With three steps good at a time and an hour's wait in the
end, who has the password needs years for the six digits."""
ENROL_S: Final = 600
RESET_S: Final = 24 * 3600
"""A request to take a factor off waits this long for the second operator."""
RECOVERY_CODES: Final = 10
"""Of twelve characters each: some 60 bits, so that a plain keyed hash of them can be kept."""
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""No i, l, o, 0, 1: they are copied by hand."""
PASSWORD_MIN: Final = 12
"""OWASP ASVS 5.0, 6.2.1 asks for 8 and recommends 15; with a second factor 12 is our mean."""
DIFFERENT_MIN: Final = 5
SEQUENCES: Final = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)  # fmt: skip
COMMON: Final = frozenset({
    "password", "passwort", "passwd", "letmein", "welcome", "admin", "administrator", "root", "login",
    "iloveyou", "woaini", "monkey", "dragon", "master", "sunshine", "princess", "football", "secret",
    "changeme", "default", "guest", "test", "user", "hello", "mima", "guanliyuan", "civicmall",
    "sandboxonly", "zhongguo", "beijing", "shanghai", "shehui", "zhengfu", "bianmin", "operator",
    "reviewer", "manager", "auditor", "qwerty", "asdf", "abc", "aini", "wangyi", "taobao", "weixin",
})  # fmt: skip
"""Words that half of all guessable passwords are made of; our own choice, no copied list."""
LEET: Final = str.maketrans("013457@$!", "oleastasi")

_ENDS: Final = string.digits + string.punctuation
"""What people put behind a word to make it a password."""

Unfit = Literal["short", "name", "repeated", "sequence", "common"]


def unfit(password: str, *names: str) -> Unfit | None:
    """Why a password can't be taken; None where it can. `names` are the account's and the person's.

    No rules of composition (NIST SP 800-63B, 3.1.1.2): length, and nothing that a guesser begins with.
    """
    if len(password) < PASSWORD_MIN:
        return "short"
    plain = password.casefold()
    if any(len(name) > 2 and name.casefold() in plain for name in names):  # noqa: PLR2004
        return "name"
    if len(set(plain)) < DIFFERENT_MIN or _repeats(plain):
        return "repeated"
    if _in_sequence(plain):
        return "sequence"
    spelled = {plain, plain.translate(LEET), plain.rstrip(_ENDS).translate(LEET)}
    words = {re.sub(r"[^a-z]", "", one) for one in spelled}
    return "common" if any(word in COMMON or _doubled(word) for word in words) else None


def _doubled(word: str) -> bool:
    """Made of common words alone: `passwordadmin`."""
    if not word:
        return False
    reach = {0}
    for end in range(1, len(word) + 1):
        if any(start in reach and word[start:end] in COMMON for start in range(end)):
            reach.add(end)
    return len(word) in reach


def _repeats(text: str) -> bool:
    """One short piece again and again, as in `abcabcabcabc`."""
    return any((text[:n] * (len(text) // n + 1))[: len(text)] == text for n in range(1, 5))


def _in_sequence(text: str) -> bool:
    """Keys or letters in a row, either way, but for a few characters at the ends."""
    rows = [row for one in SEQUENCES for row in (one * 2, one[::-1] * 2)]
    run = max(
        end - start
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if any(text[start:end] in row for row in rows) or end == start + 1
    )
    return run >= len(text) - 3


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The step within the drift whose code this is, the newest one; None for another code."""
    totp = TOTP(secret, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    found: int | None = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten, as `abcd-efgh-jkmn`."""
    return [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_hash(key: bytes, staff_id: bytes, code: str) -> bytes:
    """What is kept of a recovery code; spaces, dashes and capitals don't matter."""
    plain = re.sub(r"[\s-]", "", code).lower()
    return hmac.new(key, staff_id + plain.encode(), hashlib.sha256).digest()


def ticket_hash(ticket: str) -> bytes:
    """What is kept of a ticket: 32 random bytes need no slow hash."""
    return hashlib.sha256(ticket.encode()).digest()


def in_fours(secret: str) -> str:
    """As people type it."""
    return " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
