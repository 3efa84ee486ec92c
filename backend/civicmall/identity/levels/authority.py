"""Who vouches for identities: the faces that a city's authority has for us, and the sandbox's own.

A register knows names and ID numbers (level 2). A face check takes place on the authority's own page;
what came of it is asked for by us, and never believed from a browser (level 3).
"""

from __future__ import annotations

import hmac
from typing import Any, Final, Literal, Protocol
from uuid import UUID

from msgspec import Struct

from civicmall.kernel import ids
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from shopkit.sandbox import people

from .errors import AuthorityAway, FaceCheckOver
from .models import FaceBegun, FaceResult
from .queries import q

NUMBER: Final = "identity.sandbox_face.number"
FaceChoice = Literal["passed", "failed", "another"]


class Register(Protocol):
    """A register of natural persons."""

    async def check(self, name: str, id_number: str) -> dict[str, Any] | None:
        """What it attests of the person; None where name and number are nobody's.

        Raises AuthorityAway.
        """
        ...


class Faces(Protocol):
    """A service that compares a living face with the photograph of an ID card."""

    async def begin(self, check: UUID, name: str, id_number: str, back: str) -> FaceBegun:
        """A page for this person alone, which leads to `back` in the end. Raises AuthorityAway."""
        ...

    async def result(self, ticket: str) -> FaceResult:
        """How it stands, in the authority's own words. Raises AuthorityAway."""
        ...


class Authority(Struct, frozen=True):
    """What this installation has."""

    register: Register
    faces: Faces


class NoAuthority:
    """A city without one: nobody gets beyond a phone."""

    async def check(self, name: str, id_number: str) -> dict[str, Any] | None:
        """Raises AuthorityAway."""
        del name, id_number
        raise AuthorityAway

    async def begin(self, check: UUID, name: str, id_number: str, back: str) -> FaceBegun:
        """Raises AuthorityAway."""
        del check, name, id_number, back
        raise AuthorityAway

    async def result(self, ticket: str) -> FaceResult:
        """Raises AuthorityAway."""
        del ticket
        raise AuthorityAway


class SandboxAuthority:
    """Knows the synthetic people, and looks at faces on a page of its own (`/sandbox/face/…`)."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def check(self, name: str, id_number: str) -> dict[str, Any] | None:
        """Synthetic people only."""
        for person in people(self._house.clock.today()):
            if person.id_number == id_number:
                return dict(person.facts) if person.name == name else None
        return None

    async def begin(self, check: UUID, name: str, id_number: str, back: str) -> FaceBegun:
        """Its page, for who has its token."""
        del name, back
        await q.keep_face(
            self._house.db, bucket=ids.bucket_of(check), id=check,
            number=self._house.keys.seal(id_number, NUMBER),
        )  # fmt: skip
        url = f"{self._house.settings.public_url}/sandbox/face/{check}?token={self._token(check)}"
        return FaceBegun(url, str(check))

    async def result(self, ticket: str) -> FaceResult:
        """As was chosen on its page."""
        check = UUID(ticket)
        row = await q.sandbox_face(self._house.db, bucket=ids.bucket_of(check), id=check)
        if row is None or row["state"] == "waiting":
            return FaceResult("waiting")
        number = self._house.keys.open(row["number"], NUMBER)
        if row["state"] == "another":
            return FaceResult("passed", next(_others(self._house, number)))
        return FaceResult(row["state"], number)

    async def choose(self, check: UUID, token: str, choice: FaceChoice) -> None:
        """Somebody looked into the camera. Raises NotFound, FaceCheckOver."""
        self.at(check, token)
        bucket = ids.bucket_of(check)
        if await q.choose_face(self._house.db, bucket=bucket, id=check, state=choice) is None:
            raise FaceCheckOver

    def at(self, check: UUID, token: str) -> None:
        """That somebody may see the page of a check. Raises NotFound."""
        if not hmac.compare_digest(self._token(check).encode(), token.encode()):
            raise NotFound

    def _token(self, check: UUID) -> str:
        return self._house.keys.blind(str(check), "sandbox_face").hex()[:32]


def _others(house: House, number: str) -> Any:
    return (one.id_number for one in people(house.clock.today()) if one.id_number != number)
