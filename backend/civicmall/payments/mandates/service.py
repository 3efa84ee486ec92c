"""The citizen's verbs: make a mandate, look at it, pause, resume and revoke it."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import asyncpg

from civicmall.gateway import Gateway, LevelTooLow
from civicmall.identity import Caller
from civicmall.kernel import i18n, idempotency, ids
from civicmall.kernel.db import Db
from civicmall.kernel.house import House
from civicmall.kernel.http import encode_cursor
from civicmall.payments.channels import Channels, Debiting
from civicmall.payments.errors import (
    BadMandate,
    ChannelAway,
    ChannelCannotDebit,
    MandateExists,
    MandateMovedOn,
    NoSuchBeneficiary,
    NoSuchChannel,
    NoSuchMandate,
    TooManyMandates,
)
from shopkit import BillsQuery

from . import rules
from .means import TARGET, move
from .models import (
    Agreement,
    AgreementAsk,
    Debit,
    DebitRow,
    Mandate,
    MandateCount,
    MandateDetail,
    MandateRow,
    NewMandate,
)
from .queries import q
from .rules import LEVEL_MIN, LIVE_MAX, MandateEvent

BILLS_MAX = 100
COUNTS_MAX = 500
OVER = frozenset({"revoked", "ended"})


async def make(
    house: House,
    gateway: Gateway,
    channels: Channels,
    caller: Caller,
    key: str | None,
    ask: NewMandate,
    lang: str,
) -> Mandate:
    """Allow that an app's bills are debited. The same key again gives the same mandate.

    It is `waiting` until the channel has the payer's agreement. Raises LevelTooLow, NoSuchChannel,
    ChannelCannotDebit, BadMandate, NoSuchBeneficiary, MandateExists, TooManyMandates, the gateway's
    problems and those of idempotency.
    """

    async def work(mandate_id: UUID) -> Mandate:
        row = await _row(house.db, mandate_id)
        if row is None:
            row = await _insert(house, gateway, channels, caller, mandate_id, ask, lang)
        return await refreshed(house, channels, row)

    return await idempotency.once(house.db, caller.citizen_id, "mandates", key, ask, Mandate, work)


async def _insert(
    house: House, gateway: Gateway, channels: Channels, caller: Caller, mandate_id: UUID,
    ask: NewMandate, lang: str,
) -> MandateRow:  # fmt: skip
    if caller.level < LEVEL_MIN:
        raise LevelTooLow(needed=LEVEL_MIN)
    _debiting(channels, ask.channel)
    if wrong := rules.fault(ask.cap_minor, ask.month_cap_minor, ask.ends_on, house.clock.today()):
        raise BadMandate(errors=[wrong])
    # The bills themselves say whether the citizen may see them, and how they name whom they are for.
    query = BillsQuery(paid=True, limit=BILLS_MAX)
    bills = (await gateway.bills(caller, ask.shop, ask.app, query, lang)).items
    beneficiary = ""
    if ask.beneficiary is not None:
        named = [b.beneficiary for b in bills if rules.is_for(b.beneficiary, ask.beneficiary)]
        if not named:
            raise NoSuchBeneficiary(field="beneficiary")
        beneficiary = named[0].get("zh-CN", ask.beneficiary)
    bucket = ids.bucket_of(caller.citizen_id)
    place = {"shop": ask.shop, "app": ask.app, "beneficiary": beneficiary}
    try:
        made = await q.make(
            house.db, bucket=bucket, id=mandate_id, citizen_id=caller.citizen_id,
            channel=ask.channel, cap_minor=ask.cap_minor, month_cap_minor=ask.month_cap_minor,
            ends_on=ask.ends_on, now=house.clock.now(), live_max=LIVE_MAX, **place,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        made = mandate_id if await _row(house.db, mandate_id) else None
        if made is None:
            holder = await q.live(house.db, bucket=bucket, citizen_id=caller.citizen_id, **place)
            raise MandateExists(mandate_id=str(holder)) from error
    if made is None:
        raise TooManyMandates(most=LIVE_MAX)
    return await own(house.db, caller.citizen_id, mandate_id)


def _debiting(channels: Channels, name: str) -> Debiting:
    """A channel that debits. Raises NoSuchChannel, ChannelCannotDebit."""
    if channels.get(name) is None:
        raise NoSuchChannel(channel=name)
    found = channels.debiting(name)
    if found is None:
        raise ChannelCannotDebit(channel=name)
    return found


async def refreshed(house: House, channels: Channels, row: MandateRow) -> Mandate:
    """A mandate as it stands, also at its channel while it waits for the payer there."""
    if row.state != "waiting":
        return shown(row, house.clock.today())
    said: Agreement | None = None
    try:
        ask = AgreementAsk(row.id, row.citizen_id, row.cap_minor, row.month_cap_minor, row.ends_on)
        said = await _debiting(channels, row.channel).agree(ask)
    except (ChannelAway, ChannelCannotDebit, NoSuchChannel):
        pass  # the job asks again
    else:
        if said.number is not None:
            await move(house, row.id, "agree", agreement=said.number)
        elif said.refused:
            await move(house, row.id, "lapse", "refused")
    if house.clock.now() > row.made_at + rules.CONFIRM_WITHIN:
        await move(house, row.id, "lapse", "not_confirmed")
    fresh = await own(house.db, row.citizen_id, row.id)
    if said is not None and fresh.state in OVER and fresh.agreement is None:
        # It ended while the channel was asked, and whoever ended it may have been there too early.
        await _debiting(channels, row.channel).withdraw(row.id)
    waits = said is not None and fresh.state == "waiting"
    return shown(fresh, house.clock.today(), said.url if said and waits else None)


async def _row(db: Db, mandate_id: UUID) -> MandateRow | None:
    found: MandateRow | None = await q.mandate(db, bucket=ids.bucket_of(mandate_id), id=mandate_id)
    return found


async def own(db: Db, citizen_id: UUID, mandate_id: UUID) -> MandateRow:
    """A citizen's own mandate. Raises NoSuchMandate."""
    found = await _row(db, mandate_id)
    if found is None or found.citizen_id != citizen_id:
        raise NoSuchMandate
    return found


async def mandates(
    house: House, citizen_id: UUID, before: UUID | None, limit: int
) -> list[Mandate]:
    """A citizen's mandates, also those that are over, newest first; one more where there is more."""
    rows: list[MandateRow] = await q.mandates(
        house.db, bucket=ids.bucket_of(citizen_id), citizen_id=citizen_id, before=before,
        most=limit + 1,
    )  # fmt: skip
    return [shown(row, house.clock.today()) for row in rows]


async def mandate(
    house: House, channels: Channels, citizen_id: UUID, mandate_id: UUID, lang: str,
    before: UUID | None = None, limit: int = 20,
) -> MandateDetail:  # fmt: skip
    """One mandate and what it debited. Raises NoSuchMandate."""
    row = await own(house.db, citizen_id, mandate_id)
    found = await refreshed(house, channels, row)
    rows: list[DebitRow] = await q.debits(
        house.db, bucket=ids.bucket_of(mandate_id), mandate_id=mandate_id, before=before,
        most=limit + 1,
    )  # fmt: skip
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return MandateDetail(found, [_debit(one, lang) for one in rows[:limit]], more)


async def change(
    house: House, channels: Channels, citizen_id: UUID, mandate_id: UUID, event: MandateEvent
) -> Mandate:
    """Pause, resume or revoke; once more changes nothing.

    Whatever was announced is stopped with it. Raises NoSuchMandate, MandateMovedOn.
    """
    await own(house.db, citizen_id, mandate_id)
    await move(house, mandate_id, event)
    row = await own(house.db, citizen_id, mandate_id)
    if row.state != TARGET[event]:
        raise MandateMovedOn(state=row.state)
    return await refreshed(house, channels, row)


async def counts(house: House) -> list[MandateCount]:
    """Numbers for operators, app by app."""
    found: list[MandateCount] = await q.counts(house.db, now=house.clock.now(), most=COUNTS_MAX)
    return found


def shown(row: MandateRow, today: date, confirm_url: str | None = None) -> Mandate:
    """A mandate as its citizen sees it."""
    return Mandate(
        id=row.id,
        shop=row.shop,
        app=row.app,
        beneficiary=row.beneficiary or None,
        channel=row.channel,
        cap_minor=row.cap_minor,
        month_cap_minor=row.month_cap_minor,
        month_minor=row.month_minor if row.month_on == rules.month_of(today) else 0,
        ends_on=row.ends_on,
        state=row.state,
        why=row.why,
        made_at=row.made_at,
        moved_at=row.moved_at,
        confirm_url=confirm_url,
    )


def _debit(row: DebitRow, lang: str) -> Debit:
    return Debit(
        id=row.id,
        charge_id=row.charge_id,
        title=i18n.pick(row.title, lang),
        beneficiary=i18n.pick(row.beneficiary, lang),
        period=row.period,
        amount_minor=row.amount_minor,
        due_on=row.due_on,
        debit_on=row.debit_on,
        try_on=row.try_on,
        tries=row.tries,
        state=row.state,
        why=row.why,
        order_id=row.order_id,
        ended_at=row.ended_at,
    )
