"""Nouns of the shop: an application, and what the law fixes."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from shopkit import Basis, Text

CardKind = Literal["first", "under_16", "renewal", "replacement"]
"""Identity card: 申领, 申领(未满十六周岁), 换领, 补领."""
PermitKind = Literal["permit_new", "permit_endorsement", "permit_replacement"]
"""Residence permit: 申领, 签注, 换领补领."""
Kind = CardKind | PermitKind


class Application(Struct, frozen=True):
    """One application: the offices (ids of offices.json) where it was handed in and where the
    result is to be collected.

    Of a residence permit `year_full_on` is the day on which the year of residence is full that an
    endorsement is for; without one, the first such day to come.
    """

    id: str
    kind: Kind
    office: str
    pickup: str
    applied_on: date
    year_full_on: date | None = None


class Rule(Basis, frozen=True, forbid_unknown_fields=True):
    """The rule that a figure rests on, and where we have it from."""


class Deadline(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days that a rule gives, and how many more in remote places."""

    days: int
    remote_extra_days: int = 0


class Fee(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a card costs, in fen."""

    amount_minor: int


class CardFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """What is fixed about identity cards."""

    deadline: Deadline
    fees: dict[CardKind, Fee]
    fee_exemption: Rule


class PermitFacts(Struct, frozen=True, forbid_unknown_fields=True):
    """What is fixed about residence permits: by when one is handed out or endorsed, and the rule
    by which it is endorsed every year.
    """

    deadline: Deadline
    endorsement: Deadline
    yearly: Rule
    fees: dict[PermitKind, Fee]


class Facts(Struct, frozen=True, forbid_unknown_fields=True):
    """facts.json."""

    clock_stop: Rule
    id_card: CardFacts
    residence_permit: PermitFacts


class Office(Struct, frozen=True, forbid_unknown_fields=True):
    """An office that takes applications in and hands cards out; `street` is what it serves."""

    id: str
    street: str
    name: Text
    remote: bool = False
