"""Nouns of the shop: an application for a card, what happened to it, and what the law fixes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from shopkit import Text

Kind = Literal["first", "under_16", "renewal", "replacement"]
"""申领, 申领(未满十六周岁), 换领, 补领."""
What = Literal[
    "accepted", "fee_settled", "fee_exempt", "checked", "returned", "supplied",
    "reviewed", "sent", "produced", "arrived", "collected", "refused",
]  # fmt: skip
"""What can happen: `returned` asks the applicant for something, `supplied` is their answer."""


class Application(Struct, frozen=True):
    """One application: the offices (ids of offices.json) where it was handed in and where the
    card is to be collected.
    """

    id: str
    kind: Kind
    office: str
    pickup: str
    applied_on: date


class Event(Struct, frozen=True):
    """One thing that happened, at an aware instant. `about` has the codes of what is missing
    (`returned`) or of the reason (`refused`).
    """

    what: What
    at: datetime
    about: tuple[str, ...] = ()


class Basis(Struct, frozen=True, forbid_unknown_fields=True):
    """The rule that a figure rests on, as citizens read it, and where we have it from."""

    basis: Text
    source: str


class Deadline(Basis, frozen=True, forbid_unknown_fields=True):
    """Days that the law gives for handing out a card, and how many more in remote places."""

    days: int
    remote_extra_days: int


class CardFee(Basis, frozen=True, forbid_unknown_fields=True):
    """What a card costs, in fen."""

    amount_minor: int


class Facts(Struct, frozen=True, forbid_unknown_fields=True):
    """facts.json."""

    deadline: Deadline
    clock_stop: Basis
    fees: dict[Kind, CardFee]
    fee_exemption: Basis


class Office(Struct, frozen=True, forbid_unknown_fields=True):
    """An office that takes applications in and hands cards out; `street` is what it serves."""

    id: str
    street: str
    name: Text
    remote: bool = False
