"""Who a citizen is: real-name verification, facts, consents, and who looked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall.kernel import ids, outbox
from civicmall.kernel.db import Db
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from shopkit.sandbox import people

from .errors import AlreadyVerified, BadDeclaration, NotAllowed, NotInRegister, NumberTaken
from .events import ConsentWithdrawn
from .models import (
    AccessRow,
    CitizenRow,
    Consent,
    Given,
    GivenRow,
    Profile,
    Verification,
)
from .queries import q
from .rules import mask, valid_id_number, wrong_declaration

NAME: Final = "identity.citizen.name"
NUMBER: Final = "identity.citizen.id_number"
PHONE: Final = "identity.citizen.phone"
ATTESTED: Final = "identity.citizen.attested"
DECLARED: Final = "identity.citizen.declared"


async def row(db: Db, citizen_id: UUID) -> CitizenRow:
    """A citizen as stored. Raises NotFound."""
    found: CitizenRow | None = await q.citizen(db, bucket=ids.bucket_of(citizen_id), id=citizen_id)
    if found is None:
        raise NotFound
    return found


def register(house: House, ask: Verification) -> dict[str, Any] | None:
    """What the authority's register attests of a person; None where it knows no such one.

    The sandbox's register holds the synthetic people; a city puts its authority's service here.
    """
    if not house.settings.sandbox:
        return None
    for person in people(house.clock.today()):
        if person.id_number == ask.id_number:
            return dict(person.facts) if person.name == ask.name else None
    return None


async def verify(house: House, citizen_id: UUID, ask: Verification) -> Profile:
    """Raise a citizen to level 2. Raises NotInRegister, NumberTaken, AlreadyVerified."""
    facts = register(house, ask) if valid_id_number(ask.id_number) else None
    if facts is None:
        raise NotInRegister
    current = await row(house.db, citizen_id)
    if _is(house, current, ask.id_number):
        return profile(house, current)
    if current.id_number is not None:
        raise AlreadyVerified
    blind = house.keys.blind(ask.id_number, "id_number")
    holder = await q.take_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
    if holder is None:  # lost a race and read too early: whoever won is there now
        holder = await q.take_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
    if holder != citizen_id:
        raise NumberTaken
    raised = await q.verify(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        id=citizen_id,
        name=house.keys.seal(ask.name, NAME),
        id_number=house.keys.seal(ask.id_number, NUMBER),
        attested=house.keys.seal(msgspec.json.encode(facts).decode(), ATTESTED),
    )
    current = await row(house.db, citizen_id)
    if raised is None and not _is(house, current, ask.id_number):
        # The same account was verified with another number in this instant: this one stays free.
        await q.release_number(house.db, bucket=blind[0], blind=blind, id=citizen_id)
        raise AlreadyVerified
    return profile(house, current)


def _is(house: House, citizen: CitizenRow, id_number: str) -> bool:
    """Whether a citizen was verified with this number."""
    sealed = citizen.id_number
    return sealed is not None and house.keys.open(sealed, NUMBER) == id_number


def profile(house: House, citizen: CitizenRow) -> Profile:
    """A citizen as shown to that citizen."""
    name = house.keys.open(citizen.name, NAME) if citizen.name else None
    number = house.keys.open(citizen.id_number, NUMBER) if citizen.id_number else None
    attested, declared = _opened(house, citizen)
    return Profile(
        id=citizen.id,
        level=citizen.level,
        phone=mask(house.keys.open(citizen.phone, PHONE), 3, 4),
        name=name and mask(name, 1, 0),
        id_number=number and mask(number, 4, 2),
        facts={**declared, **attested},
        declared=sorted(declared.keys() - attested.keys()),
    )


def _opened(house: House, citizen: CitizenRow) -> tuple[dict[str, Any], dict[str, Any]]:
    attested = house.keys.open(citizen.attested, ATTESTED) if citizen.attested else "{}"
    declared = house.keys.open(citizen.declared, DECLARED) if citizen.declared else "{}"
    return msgspec.json.decode(attested), msgspec.json.decode(declared)


async def facts(house: House, citizen_id: UUID) -> dict[str, Any]:
    """Attribute → value; a missing key is unknown. What a register attests counts more."""
    attested, declared = _opened(house, await row(house.db, citizen_id))
    return {**declared, **attested}


async def declare(house: House, citizen_id: UUID, said: dict[str, Any]) -> Profile:
    """Keep facts in the citizen's own words; None forgets one. Raises BadDeclaration."""
    if wrong := wrong_declaration(said):
        field, problem = wrong
        raise BadDeclaration(errors=[{"field": f"facts.{field}", "problem": problem}])
    while True:
        citizen = await row(house.db, citizen_id)
        merged = {**_opened(house, citizen)[1], **said}
        kept = {name: value for name, value in merged.items() if value is not None}
        if await q.declare(
            house.db,
            bucket=ids.bucket_of(citizen_id),
            id=citizen_id,
            before=citizen.declared,
            declared=house.keys.seal(msgspec.json.encode(kept).decode(), DECLARED),
        ):
            return profile(house, await row(house.db, citizen_id))


async def give(
    house: House, citizen_id: UUID, shop: str, app: str, names: list[str], *, purpose: str,
    some: bool = False,
) -> Given:  # fmt: skip
    """The citizen's data under these claim names, for an app; leaves a row the citizen sees.

    Nothing unless the citizen agreed to all of them; with `some`, what they agreed to.
    Raises NotFound.
    """
    row: GivenRow | None = await q.give(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        day=house.clock.today(),
        shop=shop,
        app=app,
        purpose=purpose,
        claims=names,
        some=some,
    )
    if row is None:
        raise NotFound
    return Given(frozenset(row.agreed), _given(house, row))


def _given(house: House, row: GivenRow) -> dict[str, str]:
    """What is given, opened."""
    sealed = {"phone": (row.phone, PHONE), "name": (row.name, NAME), "id_number": (row.id_number, NUMBER)}  # fmt: skip
    attested: dict[str, Any] = {}
    if row.attested and not sealed.keys() >= {*row.given}:
        attested = msgspec.json.decode(house.keys.open(row.attested, ATTESTED))
    found: dict[str, str] = {}
    for name in row.given:
        value, kind = sealed.get(name, (None, ""))
        if value is not None:
            found[name] = house.keys.open(value, kind)
        elif name in attested:
            found[name] = str(attested[name])
    return found


async def note_access(
    house: House, citizen_id: UUID, reader: str, claims: list[str], purpose: str
) -> None:
    """Leave a row that the citizen can see; one per day, reader and purpose, with a count."""
    await q.note_access(
        house.db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        day=house.clock.today(),
        reader=reader,
        claims=claims,
        purpose=purpose,
    )


async def accesses(
    db: Db, citizen_id: UUID, after: tuple[date, str, str] | None, limit: int
) -> list[AccessRow]:
    """Who read this citizen's data; newest days first."""
    day, reader, purpose = after or (None, None, None)
    found: list[AccessRow] = await q.accesses(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        before_day=day,
        before_reader=reader,
        before_purpose=purpose,
        most=limit + 1,
    )
    return found


async def consents(db: Db, citizen_id: UUID) -> list[Consent]:
    """Everything this citizen agreed to."""
    found: list[Consent] = await q.consents(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id
    )
    return found


async def consent(db: Db, citizen_id: UUID, shop: str, app: str) -> frozenset[str]:
    """The claims that this citizen agreed to give to an app."""
    found: Consent | None = await q.consent(
        db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, shop=shop, app=app
    )
    return frozenset(found.claims) if found else frozenset()


async def give_consent(
    db: Db, citizen_id: UUID, shop: str, app: str, claims: list[str], asked: frozenset[str]
) -> Consent:
    """Agree that an app gets these claims. Raises NotAllowed for one that it doesn't ask for."""
    if not asked.issuperset(claims):
        raise NotAllowed("the app does not ask for this", claims=sorted(set(claims) - asked))
    given: Consent = await q.give_consent(
        db,
        bucket=ids.bucket_of(citizen_id),
        citizen_id=citizen_id,
        shop=shop,
        app=app,
        claims=sorted(set(claims)),
    )
    return given


async def take_back_consent(db: Db, citizen_id: UUID, shop: str, app: str, now: datetime) -> None:
    """From now on the app gets nothing more, and its shop is told. No harm if there was none."""
    bucket = ids.bucket_of(citizen_id)
    kind, body = outbox.row(ConsentWithdrawn(citizen_id, shop, app, now))
    await q.take_back_consent(
        db,
        bucket=bucket,
        citizen_id=citizen_id,
        shop=shop,
        app=app,
        event_id=ids.new(bucket),
        type=kind,
        body=body,
    )
