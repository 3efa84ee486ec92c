"""What reaches a shop: a pseudonym, the claims agreed to, and a key of its own."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, date, datetime
from typing import Any, cast

import pytest

from shopkit import Call, Citizen, Refused, Unavailable

CALL = Call(
    citizen=Citizen("somebody", 2, {"id_number": "990001199603080027"}),
    lang="zh-CN",
    now=datetime(2025, 6, 1, tzinfo=UTC),
    today=date(2025, 6, 1),
    trace_id="",
    deadline_s=1.0,
    db=cast("Any", None),
    secret=b"k" * 32,
)


def test_a_claim_agreed_to() -> None:
    assert CALL.citizen.claim("id_number") == "990001199603080027"


def test_a_claim_not_agreed_to_is_a_refusal_by_name() -> None:
    with pytest.raises(Refused, match="name") as refused:
        CALL.citizen.claim("name")
    assert refused.value.code == "refused"


def test_identifiers_are_kept_as_keyed_hashes() -> None:
    """RFC 2104 with SHA-256: another shop, with another key, gets another hash."""
    kept = CALL.keyed_hash("990001199603080027")
    assert kept == hmac.new(b"k" * 32, b"990001199603080027", hashlib.sha256).digest()
    assert kept != CALL.keyed_hash("990001199603080028")


def test_a_refusal_may_say_when_to_come_again() -> None:
    assert Unavailable(retry_after_s=60).retry_after_s == 60
    assert Unavailable("closed").detail == "closed"
