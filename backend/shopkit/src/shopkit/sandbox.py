"""The people of the sandbox: the same for the identity register and for every shop's test data.

None of them exists: region code 990001 is assigned to no place (GB/T 2260) and the phone
numbers lie in one block. Everything is derived from the position in the list, so two programs
that never speak agree on who lives where.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal, cast

from msgspec import Struct

HOUSEHOLDS: Final = 500
"""Ordinary households, beside the named personas."""
REGION: Final = "990001"

PLATFORM_SEED: Final = b"civicmall sandbox, never a city."
"""32 bytes that everybody knows: the Ed25519 seed of the platform that no shop should believe.

A shop under development trusts it, so that its author and the conformance kit can sign requests
without a platform. A real city's shop must never trust it: whoever reads this could sign for
every citizen.
"""
PLATFORM_KID: Final = "sandbox-1"
"""The id of that key; a city's own is called otherwise, so both can be trusted in a sandbox."""
WEBHOOK_KEY: Final = PLATFORM_SEED
"""What events are signed with there; as public, and as worthless in a city."""
REQUEST_KEY: Final = b"civicmall sandbox, shared by all"
"""What requests are signed with there for shops that share a secret; as public."""

Persona = Literal[
    "household", "newborn_mother", "newborn_father", "school_mother", "graduate",
    "newlywed_wife", "newlywed_husband", "near_retirement_man", "near_retirement_woman",
]  # fmt: skip

SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
GIVEN: Final = ("晓明", "丽华", "建国", "思远", "雨桐", "志强", "佳怡", "子涵", "海燕", "文博")
STREETS: Final = ("清河路", "长安里", "和平街", "学府路", "滨水道", "松林巷", "东湖路", "南园街")


class Person(Struct, frozen=True):
    """One synthetic citizen. `facts` are what the register attests, ready for JSON."""

    key: str
    persona: Persona
    name: str
    id_number: str
    phone: str
    sex: Literal["male", "female"]
    birth_date: date
    address: str
    facts: dict[str, object]


def check_digit(body: str) -> str:
    """The last character of a citizen identification number (GB 11643-1999, ISO 7064 MOD 11-2)."""
    return "10X98765432"[sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(body)) % 11]


def id_number(born: date, sequence: int, sex: str) -> str:
    """An identification number of the sandbox's region; `sequence` 0 to 499."""
    body = f"{REGION}{born:%Y%m%d}{sequence * 2 + (sex == 'male'):03d}"
    return body + check_digit(body)


def _person(number: int, persona: Persona, sex: Literal["male", "female"], born: date,
            facts: Mapping[str, object]) -> Person:  # fmt: skip
    name = SURNAMES[number % len(SURNAMES)] + GIVEN[(number // len(SURNAMES)) % len(GIVEN)]
    street = STREETS[number % len(STREETS)]
    return Person(
        key=f"{persona}-{number:04d}",
        persona=persona,
        name=name,
        id_number=id_number(born, number % 500, sex),
        phone=f"1990000{number:04d}",
        sex=sex,
        birth_date=born,
        address=f"{street}{number // 8 + 1}号{number % 6 + 1}单元{number % 18 + 1:02d}01室",
        facts={"birth_date": born.isoformat(), "sex": sex, **facts},
    )


def personas(today: date) -> list[Person]:
    """The named personas as they stand on `today`: their life events move with the calendar,
    their own birth dates and identification numbers don't (but once a year for the two near 60).
    """
    born_yesterday = [{"birth_date": (today - timedelta(days=1)).isoformat()}]
    # Six by 31 August: the class that starts school in the coming September.
    school_year = today.year if today <= date(today.year, 8, 31) else today.year + 1
    schoolchild = [{"birth_date": date(school_year - 6, 5, 20).isoformat()}]
    # Born on the last day of the year: 59 on every other day of this one.
    near_sixty = date(today.year - 60, 12, 31)
    married: dict[str, object] = {"marital_status": "married"}
    childless: dict[str, object] = {"children": []}
    return [
        _person(9001, "newborn_mother", "female", date(1996, 3, 8),
                married | {"children": born_yesterday, "employment": "employed"}),
        _person(9002, "newborn_father", "male", date(1994, 11, 2),
                married | {"children": born_yesterday, "employment": "employed"}),
        _person(9003, "school_mother", "female", date(1990, 6, 15),
                married | {"children": schoolchild, "employment": "employed"}),
        _person(9004, "graduate", "male", date(2004, 1, 30),
                childless | {"marital_status": "single", "employment": "unemployed",
                             "graduated_on": (today - timedelta(days=120)).isoformat(),
                 "id_card_until": (today + timedelta(days=40)).isoformat()}),
        _person(9005, "newlywed_wife", "female", date(1998, 9, 9),
                married | childless | {"employment": "employed",
                                       "married_on": (today - timedelta(days=10)).isoformat()}),
        _person(9006, "newlywed_husband", "male", date(1997, 4, 21),
                married | childless | {"employment": "employed",
                                       "married_on": (today - timedelta(days=10)).isoformat()}),
        _person(9007, "near_retirement_man", "male", near_sixty,
                married | {"employment": "employed",
                           "children": [{"birth_date": "1994-07-01"}]}),
        _person(9008, "near_retirement_woman", "female", near_sixty,
                married | {"employment": "retired",
                           "children": [{"birth_date": "1993-02-11"}]}),
    ]  # fmt: skip


@cache
def households() -> tuple[Person, ...]:
    """The ordinary households' account holders; the same every day."""
    return tuple(
        _person(
            n, "household", "male" if n % 2 else "female",
            date(1955 + (n * 37) % 45, 1 + n % 12, 1 + (n * 7) % 28),
            {"employment": "employed" if (n * 37) % 45 > 8 else "retired"},  # noqa: PLR2004 (born after 1963)
        )
        for n in range(HOUSEHOLDS)
    )  # fmt: skip


class Child(Struct, frozen=True):
    """A minor of the sandbox, whom no phone belongs to. `parents` are the parents' identification
    numbers, as the register of births has them.
    """

    name: str
    id_number: str
    sex: Literal["male", "female"]
    birth_date: date
    parents: tuple[str, ...]


class Enterprise(Struct, frozen=True):
    """A synthetic enterprise. `representative` is its legal representative's identification number."""

    name: str
    uscc: str
    """Unified social credit code (GB 32100-2015); its region is assigned to no place."""
    representative: str


FIRST_BORN: Final = 27
"""Years between ordinary parents of the sandbox and their child."""
MINOR: Final = 18


def _child(parents: tuple[Person, ...], given: str, born: date, sequence: int) -> Child:
    sex: Literal["male", "female"] = "female" if sequence % 2 else "male"
    numbers = tuple(one.id_number for one in parents)
    return Child(
        parents[0].name[0] + given, id_number(born, sequence, sex), sex, born, numbers
    )  # fmt: skip


def children(today: date) -> list[Child]:
    """Everybody under eighteen: the personas' children, who are as old as their parents' facts say,
    and one child of each ordinary household that is of the age for it.
    """
    by_name = {one.persona: one for one in personas(today)}
    mother, father = by_name["newborn_mother"], by_name["newborn_father"]
    at_school = date.fromisoformat(_first_born(by_name["school_mother"]))
    found = [
        _child((father, mother), "安宁", today - timedelta(days=1), 480),
        _child((by_name["school_mother"],), "乐乐", at_school, 481),
    ]
    for n, parent in enumerate(households()):
        born = parent.birth_date.replace(year=parent.birth_date.year + FIRST_BORN)
        if born <= today < born.replace(year=born.year + MINOR):
            found.append(_child((parent,), "小满", born, n % 240 + 240))
    return found


def _first_born(parent: Person) -> str:
    said = cast("list[dict[str, str]]", parent.facts["children"])
    return said[0]["birth_date"]


def uscc(organisation: str) -> str:
    """A code of the sandbox's region for nine digits of organisation, its check character appended
    (GB 32100-2015, section 5.2: MOD 31).
    """
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"91{REGION}{organisation}"
    total = sum(signs.index(sign) * pow(3, n, 31) for n, sign in enumerate(body))
    return body + signs[-total % 31]


def enterprises(today: date) -> list[Enterprise]:
    """A restaurant, a trading house and a workshop, each with one of the people at its head."""
    by_name = {one.persona: one for one in personas(today)}
    heads = (by_name["newlywed_husband"], by_name["near_retirement_man"], households()[8])
    names = ("清河小馆餐饮有限公司", "滨水道贸易有限公司", "松林巷机械加工厂")
    return [
        Enterprise(name, uscc(f"90000000{n}"), head.id_number)
        for n, (name, head) in enumerate(zip(names, heads, strict=True), 1)
    ]


def people(today: date) -> list[Person]:
    """Everybody: personas first, then households."""
    return [*personas(today), *households()]
