"""Where a visitor may be sent, and what the first page counts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.console import rules
from civicmall.gateway import Health
from civicmall.ratings import DeskTicket


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/",
        "/console/ratings",
        "/console/rectifications?state=open&overdue=1",
        "/console/rectifications/01a20fa4-0389-75e7-a514-6944de78c0d3",
        "/console/payments?after=WyJ4Il0&days=7",
    ],
)
def test_pages_of_the_console_are_kept(path: str) -> None:
    assert rules.local(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/me",
        "/consolex",
        "https://evil.example/console/",
        "//evil.example/console/",
        "/\\evil.example",
        "\\/evil.example",
        "/console//evil.example",
        "/console/\\evil.example",
        "/console/\t/evil.example",
        "/console/\r\nset-cookie: a=b",
        " /console/",
        "/console/评价",
        "/console/login?next=/console/login",
        "/console/logout",
        "/console/?" + "a" * 500,
    ],
)
def test_whatever_else_is_sent_to_the_first_page(path: str) -> None:
    assert rules.local(path) == rules.HOME


@given(st.one_of(st.text(), st.text("/\\.:?#@ev il\t\nconsole%2f").map(lambda t: "/console" + t)))
def test_nobody_is_sent_to_another_site(path: str) -> None:
    found = urlsplit(urljoin("https://mall.example/console/login", rules.local(path)))
    assert (found.scheme, found.netloc) == ("https", "mall.example")
    assert rules.local(rules.local(path)) == rules.local(path)


def test_a_link_says_only_what_there_is_to_say() -> None:
    assert rules.link("/console/x") == "/console/x"
    assert rules.link("/console/x", shop=None, bad="", after=None) == "/console/x"
    assert rules.link("/console/x", shop="a_b", bad=True, days=7) == (
        "/console/x?shop=a_b&bad=1&days=7"
    )
    assert rules.link("/console/x", after="a&b=c d") == "/console/x?after=a%26b%3Dc+d"


def test_days_left() -> None:
    today = date(2026, 11, 24)
    assert rules.days_left(date(2026, 12, 1), today) == 7
    assert rules.days_left(today, today) == 0
    assert rules.days_left(date(2026, 11, 23), today) == -1


def _ticket(turn: Any) -> DeskTicket:
    return DeskTicket(
        id=uuid4(), shop="s", app="a", citizen="C", stars=1, state="open", title="", turn=turn,
        opened_at=datetime.now(UTC), due_on=date(2026, 12, 1), provisional=False, overdue=False,
        late=False, reopened=0, reminded_on=None, responsible="",
    )  # fmt: skip


def test_tickets_are_counted_by_turn() -> None:
    turns = ["department", "citizen", "department", "nobody", "operator", "department"]
    found = rules.load(map(_ticket, turns), overdue=2, more=True)
    assert (found.department, found.citizen, found.operator) == (3, 1, 1)
    assert (found.open, found.overdue, found.more) == (5, 2, True)


@pytest.mark.parametrize(
    ("health", "doing"),
    [
        (Health("s", "live", "closed", 0), "live"),
        (Health("s", "live", "open", 3), "held"),
        (Health("s", "live", "half-open", 1), "held"),
        (Health("s", "live", "closed", 0, "TimeoutError at start"), "broken"),
        (Health("s", "broken", "open", 0, "no manifest"), "broken"),
    ],
)
def test_how_a_shop_does(health: Health, doing: str) -> None:
    assert rules.doing(health) == doing
