"""What reaches a shop with each call, and nothing else does."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from msgspec import Struct

from .contract import Attestation, AttributeName, Handed
from .egress import NoEgress
from .errors import Refused


class Citizen(Struct, frozen=True):
    """Who is served: a pseudonym that only this shop knows, and the claims consented to."""

    sub: str
    """Pairwise: the same citizen has another `sub` in every other shop."""
    level: int
    """Real-name assurance, 1 to 3 (GB/T 36629 speaks of strength; ours are L1 phone, L2 register, L3 face)."""
    claims: Mapping[str, str] = {}
    act: str | None = None
    """Who acts for them: the pairwise `sub` of another citizen; None where they act themselves."""

    def claim(self, name: str) -> str:
        """The claim's value. Raises Refused where the citizen didn't consent to it."""
        try:
            return self.claims[name]
        except KeyError:
            raise Refused(f"this service needs the claim {name}") from None


class ShopDb(Protocol):
    """The shop's own PostgreSQL schema (first in `search_path`); asyncpg's words."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...
    async def fetchrow(self, query: str, *args: Any) -> Any: ...
    async def fetchval(self, query: str, *args: Any) -> Any: ...
    async def execute(self, query: str, *args: Any) -> str: ...
    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None: ...


class NoTables:
    """Stands for the schema of a shop without migrations: says so when it is used."""

    def __getattr__(self, name: str) -> Any:
        raise LookupError(f"db.{name}: this shop has no migrations/, so it has no tables")


FetchMaterial = Callable[[str, str], Awaitable[bytes]]
"""Case and material → bytes."""


async def no_materials(case_id: str, material: str) -> bytes:
    """Stands for the platform where a call has no case."""
    raise LookupError(f"this call has no materials ({case_id}, {material})")


Attest = Callable[[str, Attestation], Awaitable[None]]
"""The citizen's `sub` and what is attested → once the platform has it."""


async def attests_nothing(sub: str, said: Attestation) -> None:
    """Stands for the platform where a shop's manifest names nothing in `attests`."""
    raise ValueError(f"{said.name}: the manifest does not name it in attests ({sub})")


class Call(Struct, frozen=True):
    """One call of a shop."""

    citizen: Citizen
    lang: str
    now: datetime
    today: date
    trace_id: str
    deadline_s: float
    """Seconds left when the call began; the platform gives up then."""
    db: ShopDb
    secret: bytes
    """32 bytes that only this shop has; the same after every start."""
    app: str = ""
    """Which app is asked: one function may serve several."""
    materials: FetchMaterial = no_materials
    http: Any = NoEgress()
    """An httpx.AsyncClient for the hosts that the manifest names in `egress`."""
    attests: Attest = attests_nothing

    async def material(self, case_id: str, handed: Handed) -> bytes:
        """The bytes of a material that was handed in with a case of this shop."""
        return await self.materials(case_id, handed.id)

    async def attest(self, name: AttributeName, value: Any, as_of: date) -> None:
        """Tell the platform what the department's records say of this citizen, as of a day; the
        manifest names it in `attests`. None takes it back. Something older than what the platform
        has changes nothing. Raises ValueError for what can't be attested, LookupError where the
        platform knows no such citizen of this shop, Unavailable: another time.
        """
        await self.attests(self.citizen.sub, Attestation(name, value, as_of))

    def keyed_hash(self, value: str) -> bytes:
        """What a shop stores instead of a personal identifier, to find its holder again."""
        return keyed_hash(self.secret, value)


def keyed_hash(secret: bytes, value: str) -> bytes:
    """HMAC-SHA-256 (RFC 2104) of `value`, 32 bytes."""
    return hmac.new(secret, value.encode(), hashlib.sha256).digest()
