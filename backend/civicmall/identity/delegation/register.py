"""What the authorities' registers know of relations: whose parent somebody is, who represents whom.

The sandbox's register holds the synthetic families and enterprises; a city puts its own services
(births and households, business registration) here. Where there is none, nothing is proved.
"""

from __future__ import annotations

from typing import Protocol

from civicmall.kernel.house import House
from shopkit.sandbox import children, enterprises


class Register(Protocol):
    """Asked again each day about what it proved. Raises Problem or OSError where it can't answer, which
    proves nothing and ends nothing.
    """

    async def is_parent(self, parent: str, child: str, name: str) -> bool:
        """Whether the holder of the first ID number is a parent of that of the second, of this name."""
        ...

    async def represents(self, person: str, uscc: str, name: str) -> bool:
        """Whether the holder of the ID number is the enterprise's legal representative."""
        ...


class Sandbox:
    """The synthetic families and enterprises of `shopkit.sandbox`."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def is_parent(self, parent: str, child: str, name: str) -> bool:
        """See Register."""
        return any(
            one.id_number == child and one.name == name and parent in one.parents
            for one in children(self._house.clock.today())
        )

    async def represents(self, person: str, uscc: str, name: str) -> bool:
        """See Register."""
        return any(
            (one.uscc, one.name, one.representative) == (uscc, name, person)
            for one in enterprises(self._house.clock.today())
        )


class Nobody:
    """Where no register is connected."""

    async def is_parent(self, parent: str, child: str, name: str) -> bool:
        """See Register."""
        del parent, child, name
        return False

    async def represents(self, person: str, uscc: str, name: str) -> bool:
        """See Register."""
        del person, uscc, name
        return False


def of(house: House) -> Register:
    """The installation's."""
    return Sandbox(house) if house.settings.sandbox else Nobody()
