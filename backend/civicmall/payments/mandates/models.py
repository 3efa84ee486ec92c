"""Nouns of mandates. Amounts in 分; days are the city's."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.payments.models import ChannelName, Slug

from .rules import CAP_MAX_MINOR, MONTH_CAP_MAX_MINOR, DebitState, MandateState

Beneficiary = Annotated[str, Meta(min_length=1, max_length=400, pattern=r"^[^\x00]*$")]


class NewMandate(Struct, frozen=True, forbid_unknown_fields=True):
    """Which bills may be debited, through which channel, and how much at most."""

    shop: Slug
    app: Slug
    cap_minor: Annotated[int, Meta(ge=1, le=CAP_MAX_MINOR)]
    """At most for one debit."""
    month_cap_minor: Annotated[int, Meta(ge=1, le=MONTH_CAP_MAX_MINOR)]
    """At most in one calendar month of the city."""
    beneficiary: Beneficiary | None = None
    """Only bills for this account, meter or person, as the bills themselves name it."""
    channel: ChannelName = "sandbox"
    ends_on: date | None = None
    """The last day on which anything may be debited."""


class MandateRow(Struct, frozen=True):
    """A mandate as stored."""

    id: UUID
    citizen_id: UUID
    shop: str
    app: str
    beneficiary: str
    channel: str
    cap_minor: int
    month_cap_minor: int
    month_on: date | None
    month_minor: int
    ends_on: date | None
    state: MandateState
    why: str
    agreement: str | None
    made_at: datetime
    moved_at: datetime
    look_at: datetime | None


class DebitRow(Struct, frozen=True):
    """One bill on its way to being debited, as stored."""

    id: UUID
    mandate_id: UUID
    citizen_id: UUID
    shop: str
    app: str
    charge_id: str
    title: dict[str, str]
    beneficiary: dict[str, str]
    period: str
    amount_minor: int
    due_on: date
    debit_on: date
    try_on: date
    tries: int
    state: DebitState
    why: str
    announced_on: date | None
    order_id: UUID | None
    round: int
    ended_at: datetime | None


class Mandate(Struct, frozen=True):
    """A mandate as its citizen sees it."""

    id: UUID
    shop: str
    app: str
    beneficiary: str | None
    channel: str
    cap_minor: int
    month_cap_minor: int
    month_minor: int
    """What was debited, or is being debited, in this calendar month."""
    ends_on: date | None
    state: MandateState
    why: str
    """Why it is not active, as a word: `consent`, `level`, `app_gone`, `agreement_ended`, …"""
    made_at: datetime
    moved_at: datetime
    confirm_url: str | None = None
    """Where to confirm it at the channel, while it is `waiting`."""


class Debit(Struct, frozen=True):
    """One bill of a mandate, in the caller's language."""

    id: UUID
    charge_id: str
    title: str
    beneficiary: str
    period: str
    amount_minor: int
    due_on: date
    debit_on: date
    """The day that was announced; a declined debit is tried again on the two days after it."""
    try_on: date
    tries: int
    state: DebitState
    why: str
    order_id: UUID | None
    ended_at: datetime | None


class MandateDetail(Struct, frozen=True):
    """A mandate and its debits, newest first; `next` goes into `after`."""

    mandate: Mandate
    debits: list[Debit]
    next: str | None = None


class MandateCount(Struct, frozen=True):
    """How many mandates there are for one app, and what became of debits: numbers only."""

    shop: str
    app: str
    active: int
    paused: int
    waiting: int
    announced: int
    paid_30d: int
    unpaid_30d: int
    """Held or failed in the last 30 days."""
    late_reminders: int
    """Bills whose reminder has not been delivered for an hour: nothing is debited without it."""


class AgreementAsk(Struct, frozen=True):
    """What a channel is asked to let us debit. `mandate_id` is the merchant's number of it."""

    mandate_id: UUID
    payer: UUID
    cap_minor: int
    month_cap_minor: int
    ends_on: date | None


class Agreement(Struct, frozen=True):
    """How an agreement stands at the channel: agreed by number, to be confirmed at `url`, or over."""

    number: str | None = None
    url: str | None = None
    refused: bool = False


class Pending(Struct, frozen=True):
    """The channel took the order to debit and tells later how it ended."""


class Declined(Struct, frozen=True):
    """The channel did not debit and will not for this order. `final`: nor for any other."""

    reason: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
    final: bool = False
