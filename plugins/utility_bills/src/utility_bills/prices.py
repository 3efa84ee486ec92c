"""The published prices, as data: the shape of `data/tariffs.json` and its check.

Quantities are thousandths of a unit (m³, kWh, m²), prices thousandths of a fen per unit. Each
figure names its source; one that no source was found for says `example`, and so does every bill
line made of it.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from shopkit import Text

Basis = Literal["month", "year", "season"]
"""What the tiers count: the use of a calendar month, of a calendar year, or no tiers at all."""
Positive = Annotated[int, Meta(ge=1)]
MonthDay = Annotated[str, Meta(pattern=r"^\d\d-\d\d$")]


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where figures come from: the document, who issued it, where it was read."""

    title: Text
    authority: Text
    read_at: list[str]
    number: str | None = None
    issued_on: date | None = None
    note: str = ""


class Component(Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a price, a bill line of its own: a price for each tier, or one for all."""

    id: str
    name: Text
    prices_milli_minor: Annotated[list[Positive], Meta(min_length=1)]
    source: str | None = None
    example: bool = False


class PerPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """What each person of a household `above` so many adds to every tier's upper limit."""

    above: Positive
    adds_milli: Positive


class Tariff(Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a utility's prices. `tiers_milli` are the upper limits, inclusive, of all
    tiers but the last, which has none; `valid_to` is the last day.
    """

    id: str
    valid_from: date
    basis: Basis
    components: Annotated[list[Component], Meta(min_length=1)]
    tiers_milli: list[Positive] = []
    per_person: PerPerson | None = None
    valid_to: date | None = None


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """How many months lie between two readings, and within how many a bill is to be paid."""

    cycle_months: Positive
    due_months: Positive
    example: bool = False


class Season(Struct, frozen=True, forbid_unknown_fields=True):
    """The heating season, month-day, both days included, and when it is paid for."""

    first: MonthDay
    last: MonthDay
    pay_from: MonthDay
    pay_by: MonthDay
    source: str
    pay_source: str


class LateFee(Struct, frozen=True, forbid_unknown_fields=True):
    """Millionths of the principal for each day after the due date, and the least that is taken."""

    rate_ppm_per_day: Positive
    at_least_minor: int = 0
    source: str | None = None
    example: bool = False


class Utility(Struct, frozen=True, forbid_unknown_fields=True):
    """All that is published about one utility. Metered ones have `terms`, heating a `season`."""

    fee: str
    unit: Text
    late_fee: LateFee
    tariffs: Annotated[list[Tariff], Meta(min_length=1)]
    terms: Terms | None = None
    season: Season | None = None


class Book(Struct, frozen=True, forbid_unknown_fields=True):
    """The data file: `data/tariffs.json`."""

    about: str
    sources: dict[str, Source]
    utilities: dict[str, Utility]


def read(path: Path) -> Book:
    """The data file, checked. Raises ValueError, which names what is wrong."""
    book = msgspec.json.decode(path.read_bytes(), type=Book)
    for name, utility in book.utilities.items():
        for tariff in utility.tariffs:
            for part in tariff.components:
                where = f"{path.name}: {name}, {tariff.id}, {part.id}"
                if len(part.prices_milli_minor) not in {1, len(tariff.tiers_milli) + 1}:
                    raise ValueError(f"{where}: a price for each tier, or one for all")
                if (part.source is None) is not part.example:
                    raise ValueError(f"{where}: a source, or example: true")
                if part.source is not None and part.source not in book.sources:
                    raise ValueError(f"{where}: no source {part.source}")
    return book
