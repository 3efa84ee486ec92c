"""Passwords, codes and networks: the decisions, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp.totp import TOTP

from civicmall.identity.limits import network
from civicmall.identity.staff.rules import (
    ALPHABET,
    PASSWORD_MIN,
    RECOVERY_CODES,
    STEP_S,
    in_fours,
    matching_step,
    new_recovery_codes,
    recovery_hash,
    unfit,
)

RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
"""RFC 6238, appendix B: the ASCII string 12345678901234567890."""


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_rfcs_own_values(at: int, code: str) -> None:
    assert matching_step(RFC, code, datetime.fromtimestamp(at, UTC)) == at // STEP_S


@given(st.integers(0, 4_000_000_000), st.integers(-4, 4))
def test_one_step_of_drift_and_no_more(at: int, off: int) -> None:
    step = at // STEP_S + 10
    now = datetime.fromtimestamp(step * STEP_S, UTC) + timedelta(seconds=at % STEP_S)
    code = TOTP(RFC).generate_otp(step + off)
    near = [TOTP(RFC).generate_otp(step + n) for n in (-1, 0, 1)]
    found = matching_step(RFC, code, now)
    assert (found is not None) == (code in near)
    if abs(off) <= 1:
        assert found is not None
        assert found >= step + off  # of two steps with one code the newer one counts


@pytest.mark.parametrize("code", ["", "28708", "2870821", "28708２", "abcdef", "287 82"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(RFC, code.encode("ascii", "replace").decode(), datetime.fromtimestamp(59, UTC)) is None  # fmt: skip


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("a" * 11, "short"), ("", "short"), ("aaaaaaaaaaaa", "repeated"),
        ("abcdabcdabcd", "repeated"), ("abababababab", "repeated"),
        ("xulan is great", "name"), ("I am 市图书馆 now", "name"), ("XULAN-2026-go!", "name"),
        ("abcdefghijklm", "sequence"), ("987654321098", "sequence"), ("qwertyuiop[]", "sequence"),
        ("1qaz2wsx3edc", "sequence"), ("Password2026!", "common"), ("p@ssw0rd!!2026", "common"),
        ("adminadmin12345", "common"), ("Woaini-20261130", "common"), ("sandbox-only", "common"),
        ("correct horse battery", None), ("七个成熟的梨子今晚都要吃完", None), ("Tr0ub4dor&3-xk", None),
    ],
)  # fmt: skip
def test_passwords(password: str, why: str | None) -> None:
    assert unfit(password, "xulan", "市图书馆") == why


@given(st.text(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_no_password_is_too_odd_to_judge(password: str, username: str, name: str) -> None:
    why = unfit(password, username, name)
    if len(password) < PASSWORD_MIN:
        assert why == "short"


def test_a_long_password_is_judged_at_once() -> None:
    assert unfit("ab" * 100, "x") is not None
    assert unfit("".join(chr(0x4E00 + n) for n in range(200)), "x") is None


def test_recovery_codes_are_ten_and_easily_copied() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == len(codes) == RECOVERY_CODES
    for code in codes:
        assert set(code) <= {*ALPHABET, "-"}
        sloppy = code.upper().replace("-", " ")
        key, who = b"k" * 32, b"w" * 16
        assert recovery_hash(key, who, sloppy) == recovery_hash(key, who, code)
        assert recovery_hash(key, b"o" * 16, code) != recovery_hash(key, who, code)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", min_size=1, max_size=40))
def test_a_key_to_type_loses_nothing(secret: str) -> None:
    assert in_fours(secret).replace(" ", "") == secret


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.1", "198.51.100.2", False),
    ],
)
def test_networks(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    assert (network(one) == network(other)) == same


def test_what_is_no_address_is_no_network() -> None:
    assert network("") == network("a socket") == ""
