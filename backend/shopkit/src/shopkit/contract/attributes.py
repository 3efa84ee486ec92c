"""Attributes of a citizen: which there are and what their values look like, said once for all.

The platform's catalogue gives them their words; a shop may attest those that its manifest names in
`attests`, and a citizen may tell those in `DECLARABLE` in their own words.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

AttributeName = Literal[
    "birth_date", "sex", "children", "marital_status", "married_on", "employment", "graduated_on",
    "pregnant", "moved_on", "housing", "has_disability", "disability_level", "veteran", "low_income",
    "student", "insured_pension_years", "has_housing_fund", "has_vehicle", "post", "id_card_until",
    "driving_licence_until",
]  # fmt: skip


class Child(Struct, frozen=True, forbid_unknown_fields=True):
    """A child: what rules need to know of one."""

    birth_date: date


TYPES: Final[dict[AttributeName, Any]] = {
    "birth_date": date,
    "sex": Literal["male", "female"],
    "children": Annotated[list[Child], Meta(max_length=20)],
    "marital_status": Literal["single", "married", "divorced", "widowed"],
    "married_on": date,
    "employment": Literal["employed", "self_employed", "unemployed", "student", "retired"],
    "graduated_on": date,
    "pregnant": bool,
    "moved_on": date,
    "housing": Literal["owner", "tenant", "family"],
    "has_disability": bool,
    "disability_level": Annotated[int, Meta(ge=1, le=4)],
    "veteran": bool,
    "low_income": bool,
    "student": bool,
    "insured_pension_years": Annotated[int, Meta(ge=0, le=60)],
    "has_housing_fund": bool,
    "has_vehicle": bool,
    "post": Literal["management", "worker"],
    "id_card_until": date,
    "driving_licence_until": date,
}
"""Disability has four degrees (GB/T 26341-2010); sixty years are a working life."""
NAMES: Final[frozenset[str]] = frozenset(get_args(AttributeName))
DECLARABLE: Final[frozenset[str]] = NAMES - {"birth_date", "sex", "children", "disability_level"}
"""What a citizen may say of themselves; the rest comes from a register or a department."""
EARLIEST: Final = date(1900, 1, 1)


class Attestation(Struct, frozen=True, forbid_unknown_fields=True):
    """What a department attests of a citizen. `value` is JSON of the attribute's type, null where
    it no longer attests anything; `as_of` is the day on which its records had it so.
    """

    name: AttributeName
    value: Any
    as_of: date


class Attested(Struct, frozen=True, forbid_unknown_fields=True):
    """The callback `city.civicmall.citizen.attested`: CloudEvents 1.0, `subject` is the citizen's `sub`."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=80)]
    type: Literal["city.civicmall.citizen.attested"]
    source: Annotated[str, Meta(min_length=1, max_length=300)]
    subject: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    time: Annotated[datetime, Meta(tz=True)]
    data: Attestation
    datacontenttype: Literal["application/json"] = "application/json"


def fault(name: str, value: Any) -> str:
    """What is wrong with a value of an attribute (None: there is no value); empty: nothing."""
    if name not in TYPES:
        return "no such attribute"
    if value is None:
        return ""
    try:
        found: Any = msgspec.convert(value, TYPES[name])
    except msgspec.ValidationError as error:
        return str(error)
    days: list[date] = []
    if isinstance(found, date):
        days = [found]
    elif name == "children":
        children: list[Child] = found
        days = [child.birth_date for child in children]
    return "" if all(day >= EARLIEST for day in days) else f"before {EARLIEST}"
