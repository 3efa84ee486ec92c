"""The sandbox's synthetic citizens and staff, for a developer and for `make run`."""

from __future__ import annotations

from typing import Final

from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.crypto import Keys, load
from civicmall.kernel.house import House
from shopkit.sandbox import personas

from . import staff
from .models import Role, SandboxPerson
from .rules import CODES, sandbox_code

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
        )
        for person in personas(clock.today())
    ]


async def add_staff(house: House, shops: list[tuple[str, str]]) -> None:
    """Two operators, because some steps need a second person, and for each (shop, name) somebody
    of that department.
    """
    await _add(house, "operator", "运营 周敏", "operator", None)
    await _add(house, "reviewer", "运营 沈澄", "operator", None)
    for shop, name in shops:
        await _add(house, shop, name, "department", shop)


async def _add(house: House, username: str, name: str, role: Role, shop: str | None) -> None:
    if not await staff.has_staff(house.db, username):
        await staff.add_staff(house, username, PASSWORD, name, role, shop)
