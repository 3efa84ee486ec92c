"""The pure part: who pays what, what may become what, and numbers of parts."""

from __future__ import annotations

from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.house.house import CITY

from civicmall.kernel import ids
from civicmall.kernel.config import BadSetting, Settings
from civicmall.payments.channels import parts
from civicmall.payments.channels.medical_insurance import rules

FEES = st.sampled_from(["hospital/outpatient", "medical_insurance/resident_contribution"])
ITEMS = st.lists(st.tuples(FEES, st.integers(1, 10**9)), min_size=1, max_size=20)


@given(items=ITEMS, balance=st.integers(0, 10**9))
def test_a_share_is_no_more_than_the_bill_and_the_account(
    items: list[tuple[str, int]], balance: int
) -> None:
    pool, account = rules.share(items, balance)
    whole = sum(amount for _, amount in items)
    treated = sum(amount for fee, amount in items if fee == "hospital/outpatient")
    assert 0 <= pool <= treated * rules.POOL_PERCENT / 100
    assert 0 <= account <= balance
    assert pool + account <= whole
    assert pool + account == whole or account == balance, "the account pays what it can"


@given(st.integers(0, 255))
def test_a_parts_number_leads_to_its_whole_and_its_bucket(bucket: int) -> None:
    whole = ids.new(bucket)
    part = parts.of(whole)
    assert (parts.is_part(part), parts.is_part(whole)) == (True, False)
    assert parts.whole(part) == whole
    assert ids.bucket_of(part) == bucket
    assert part.variant == whole.variant
    assert UUID(part.hex) == part


@given(st.lists(st.sampled_from([None, *get_args(rules.PartState)]), min_size=1, max_size=2))
def test_a_refund_ends_with_its_last_part(states: list[rules.PartState | None]) -> None:
    whole = rules.together(states)
    assert (whole == "pending") == bool({"open", "pending"} & set(states))
    if whole != "pending":
        assert (whole == "failed") == ("failed" in states)


def test_every_state_is_reached_and_the_database_knows_them() -> None:
    states = set(get_args(rules.SplitState))
    assert set(rules.MOVES.values()) | {"quoted"} == states
    assert {event for _, event in rules.MOVES} == set(get_args(rules.SplitEvent))
    sql = (CITY / "payments" / "migrations" / "0008_medical.sql").read_text()
    assert all(f"'{state}'" in sql for state in states)


def test_fees_are_named_by_a_setting() -> None:
    fees = rules.allowed(" a/b ,c/d.e")
    assert fees == {"a/b", "c/d.e"}
    assert rules.foreign([(1, "a", "b"), (2, "a", "c"), (3, "c", "d.e")], fees) == [2]
    env = {"CIVICMALL_MEDICAL_FEES": "hospital/out.patient, a/b"}
    found = Settings.from_env(env, database_url="postgresql:///unused")
    assert rules.allowed(found.medical_fees) == {"hospital/out.patient", "a/b"}
    for wrong in ("a", "a/b,", "A/b", "a/b c/d", ","):
        with pytest.raises(BadSetting, match="CIVICMALL_MEDICAL_FEES"):
            Settings.from_env({"CIVICMALL_MEDICAL_FEES": wrong}, database_url="postgresql:///x")
