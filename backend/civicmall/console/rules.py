"""Decisions of the console: where a visitor may be sent, what counts as pressing. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from civicmall.gateway import Health
from civicmall.ratings import DeskTicket

from .models import Doing, Load

HOME: Final = "/console/"
LOGIN: Final = "/console/login"
ACCOUNT: Final = "/console/account"
NEXT_MAX: Final = 500
_LOCAL: Final = re.compile(r"/console(?:[/?#][!-\[\]-~]*)?")
"""Our own paths in printable ASCII. No backslash: browsers read it as a slash."""


def local(path: str) -> str:
    """The path if it leads to a page of the console other than signing in and out, else its first
    page: nobody is sent elsewhere by a link that only begins here.
    """
    inside = len(path) <= NEXT_MAX and _LOCAL.fullmatch(path) and not path.startswith("/console//")
    return path if inside and not path.startswith((LOGIN, "/console/logout")) else HOME


def link(path: str, **params: Any) -> str:
    """A path with those parameters that say something."""
    said = {name: "1" if value is True else value for name, value in params.items() if value}
    return f"{path}?{urlencode(said)}" if said else path


def days_left(due: date, today: date) -> int:
    """Days until a day; below zero once it has passed."""
    return (due - today).days


def load(tickets: Iterable[DeskTicket], *, overdue: int, more: bool) -> Load:
    """How many tickets wait for whom."""
    turns = [ticket.turn for ticket in tickets]
    return Load(
        department=turns.count("department"),
        citizen=turns.count("citizen"),
        operator=turns.count("operator"),
        overdue=overdue,
        more=more,
    )


def doing(health: Health, state: str = "live") -> Doing:
    """How a version does, in one word; `state` is its shop's. A reason means that it never came up,
    or doesn't answer.
    """
    if state == "suspended":
        return "suspended"
    if state == "retired":
        return "retired"
    if health.state == "broken" or health.reason:
        return "broken"
    if health.breaker != "closed":
        return "held"
    return "trial" if health.state == "canary" else "live"
