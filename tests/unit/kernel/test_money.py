"""Money for people: two decimals, thousands apart, nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.kernel import money


@pytest.mark.parametrize(
    ("amount_minor", "shown"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (100, "1.00"),
        (123_456_7, "12,345.67"),
        (-1, "-0.01"),
        (-123_456_7, "-12,345.67"),
        (100_000_000_00, "100,000,000.00"),
    ],
)
def test_as_people_write_it(amount_minor: int, shown: str) -> None:
    assert money.yuan(amount_minor) == shown


@given(st.integers())
def test_nothing_is_lost(amount_minor: int) -> None:
    assert int(money.yuan(amount_minor).replace(",", "").replace(".", "")) == amount_minor
