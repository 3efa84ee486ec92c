"""A shop called in the test's own process, as the gateway calls it: for a department's tests."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import MutableMapping
from datetime import UTC, date, datetime
from typing import Any, Self

from . import egress
from .answers import checked
from .call import Call, Citizen, ShopDb
from .contract import Attestation, Handed, Media, fault
from .egress import NoEgress
from .errors import BadManifest
from .local import local
from .manifest import App, Manifest
from .sandbox import Person
from .shop import Operation, Shop


class TestShop:
    """`async with TestShop(shop, db) as t:` checks that every capability is served and seeds `db`.

    `db` works in the shop's own schema, migrated. `now` stands still unless the test moves it.
    """

    __test__ = False  # pytest: no class of tests, in spite of its name

    def __init__(
        self, shop: Shop, db: ShopDb, *, now: datetime | None = None, secret: bytes = b"test" * 8
    ) -> None:
        self.shop = shop
        self.db = db
        self.now = now or datetime.now(UTC)
        self.secret = secret
        self._http: Any = NoEgress()
        self.materials: dict[tuple[str, str], bytes] = {}
        self.attested: list[tuple[str, Attestation]] = []
        """By `sub`, in order: what the platform would have been told."""
        self.misattested: list[str] = []
        """What it would have refused to be told."""

    async def __aenter__(self) -> Self:
        self.shop.check()
        self._http = egress.client(self.shop.manifest.egress)
        await self.seed()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing of ours stays open; `db` is the caller's."""
        await self._http.aclose()

    @property
    def today(self) -> date:
        """The city's date."""
        return local(self.now)

    async def seed(self) -> None:
        """Fill in sandbox data, as every start of the platform does."""
        if self.shop.seeder is not None:
            await self.shop.seeder(self.db, self.secret, self.today)

    def citizen(self, person: Person, app: str, *, level: int = 2, claims: bool = True) -> Citizen:
        """A sandbox person as `app` sees them: a pseudonym, and what its manifest asks for."""
        return citizen_of(person, self.shop.manifest, self._app(app), level=level, claims=claims)

    async def call(
        self, app: str, operation: Operation, asked: Any, *, citizen: Person | Citizen, lang: str = "zh-CN"
    ) -> Any:  # fmt: skip
        """The answer, checked as the gateway does.

        Raises what the shop raises, WrongAnswer for one against the contract, TimeoutError where
        it takes longer than its manifest allows, BadManifest for an app that isn't declared.
        """
        who = self.citizen(citizen, app) if isinstance(citizen, Person) else citizen
        deadline_s = self.shop.manifest.limits.timeout_ms / 1000
        call = Call(
            who, lang, self.now, self.today, "test", deadline_s, self.db, self.secret,
            self._app(app).id, self._material, self._http, self._attest,
        )  # fmt: skip
        async with asyncio.timeout(deadline_s):
            return checked(operation, asked, await self.shop.answer(operation, call, asked))

    def hand_in(
        self, case_id: str, code: str, body: bytes, media: Media = "application/pdf"
    ) -> Handed:
        """A material for a Submission or a Supplement, as the platform would keep it."""
        return keep(self.materials, case_id, code, body, media)

    async def _material(self, case_id: str, material: str) -> bytes:
        return self.materials[case_id, material]

    async def _attest(self, sub: str, said: Attestation) -> None:
        """Refuses what the platform would."""
        problem = fault(said.name, said.value)
        if said.name not in {one.name for one in self.shop.manifest.attests}:
            problem = "the manifest does not name it in attests"
        elif said.as_of > self.today:
            problem = f"as of {said.as_of}, a day to come"
        if problem:
            self.misattested.append(f"{said.name}: {problem}")
            raise ValueError(self.misattested[-1])
        self.attested.append((sub, said))

    def _app(self, app: str) -> App:
        declared = self.shop.manifest.app(app)
        if declared is None:
            raise BadManifest(str(self.shop.file), "$.apps", f"no app {app}")
        return declared


def citizen_of(
    person: Person, manifest: Manifest, app: App, *, level: int, claims: bool = True
) -> Citizen:
    """A sandbox person as an app sees them: a pseudonym, and what its manifest asks for."""
    told = {c.name: str(getattr(person, c.name)) for c in app.claims} if claims else {}
    return Citizen(f"{manifest.id}:{person.key}", level, told)


def keep(
    kept: MutableMapping[tuple[str, str], bytes], case_id: str, code: str, body: bytes, media: Media
) -> Handed:
    """Add a material of a case to those `kept`, as the platform would."""
    digest = hashlib.sha256(body).hexdigest()
    handed = Handed(code, f"m-{len(kept)}", media, len(body), digest)
    kept[case_id, handed.id] = body
    return handed
