"""The sandbox's synthetic citizens and staff, for a developer and for `make run`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.crypto import Keys, load
from civicmall.kernel.house import House
from shopkit.sandbox import children, enterprises, personas

from .models import SandboxPerson, SandboxPrincipal, SandboxStaff
from .rules import CODES, sandbox_code
from .staff import accounts

PASSWORD: Final = "sandbox-only"  # noqa: S105 (the accounts exist in sandboxes alone)


def people_of(settings: Settings) -> list[SandboxPerson]:
    """The same, where there is no house yet."""
    return _people(load(settings.data_dir), Clock())


def people(house: House) -> list[SandboxPerson]:
    """The named personas with today's one-time codes."""
    return _people(house.keys, house.clock)


def _people(keys: Keys, clock: Clock) -> list[SandboxPerson]:
    return [
        SandboxPerson(
            persona=person.persona,
            name=person.name,
            id_number=person.id_number,
            phone=person.phone,
            code=sandbox_code(keys.derive(CODES), person.phone, clock.today()),
            acts_for=_acts_for(person.id_number, clock.today()),
        )
        for person in personas(clock.today())
    ]


def _acts_for(number: str, today: date) -> list[SandboxPrincipal]:
    young = [
        SandboxPrincipal("child", one.name, one.id_number)
        for one in children(today)
        if number in one.parents
    ]
    firms = [
        SandboxPrincipal("representative", one.name, one.uscc)
        for one in enterprises(today)
        if one.representative == number
    ]
    return young + firms


def staff(shops: Iterable[tuple[str, str]]) -> list[SandboxStaff]:
    """Two operators, because some steps need a second person, an auditor, and for each (shop, name)
    the manager of that department.
    """
    return [
        SandboxStaff("operator", "运营 周敏", "operator"),
        SandboxStaff("reviewer", "运营 沈澄", "operator"),
        SandboxStaff("auditor", "审计 顾岩", "auditor"),
        *(SandboxStaff(shop, name, "manager", shop) for shop, name in shops),
    ]


async def add_staff(house: House, shops: Iterable[tuple[str, str]]) -> None:
    """Make the accounts of `staff` that there aren't yet."""
    for one in staff(shops):
        if not await accounts.has_staff(house.db, one.username):
            await accounts.add_staff(house, one.username, PASSWORD, one.name, one.role, one.shop)
