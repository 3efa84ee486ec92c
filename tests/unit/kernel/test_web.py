"""What every page needs, without a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from civicmall.kernel.web import instant


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 10, 1, 17, 5, 59, tzinfo=UTC), "2026-10-02 01:05"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "0001-01-01 00:00"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))), "9999-12-31 23:59"),
    ],
    ids=["ours", "first", "last"],
)
def test_every_moment_that_a_shop_may_say_can_be_shown(at: datetime, shown: str) -> None:
    assert instant(at) == shown
