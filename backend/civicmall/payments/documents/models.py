"""Nouns of the papers: receipts and what is told of them, statements, payouts. Amounts in 分."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.payments.models import Slug, Tender

from .rules import ReceiptState

Account = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_.-]{1,59}$(?!\n)")]
Reference = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)")]
PayoutMinor = Annotated[int, Meta(ge=1, le=10**14)]
EntryKind = Literal["payment", "refund", "payout"]


class PaperLine(Struct, frozen=True):
    """One line on a receipt."""

    no: int
    department: str
    title: str
    fee_code: str
    beneficiary: str
    period: str
    amount_minor: int
    refunded_minor: int
    receipt_number: str | None
    """The department's own; null where it has not acknowledged the payment."""


class PaperRefund(Struct, frozen=True):
    """What went back of a line, and when."""

    no: int
    amount_minor: int
    ended_at: datetime


class Paper(Struct, frozen=True):
    """The receipt of one payment as it stands at `as_of`."""

    number: str
    code: str
    url: str
    """Where anybody sees how it stands now."""
    order_id: UUID
    state: ReceiptState
    paid_at: datetime
    channel: str
    channel_txn: str
    tenders: list[Tender]
    """Of a split payment; else empty."""
    amount_minor: int
    refunded_minor: int
    currency: str
    as_of: datetime
    lines: list[PaperLine]
    refunds: list[PaperRefund]


class CheckedLine(Struct, frozen=True):
    """One line as anybody with the code may see it: whom it is for is masked."""

    no: int
    department: str
    title: str
    beneficiary: str
    period: str
    amount_minor: int
    refunded_minor: int
    receipt_number: str | None


class CheckedReceipt(Struct, frozen=True):
    """How a receipt stands at this moment. `valid`: nothing went back."""

    number: str
    state: ReceiptState
    paid_at: datetime
    channel: str
    amount_minor: int
    refunded_minor: int
    currency: str
    checked_at: datetime
    lines: list[CheckedLine]


class DoneRefund(Struct, frozen=True):
    """A refund of a line that the channel has sent."""

    id: UUID
    no: int
    amount_minor: int
    ended_at: datetime


class KindSum(Struct, frozen=True):
    """What the ledger has of one account in a period, by kind; positive: owed to the department."""

    kind: str
    owed_minor: int
    entries: int


class Difference(Struct, frozen=True):
    """An order whose rows are not what the ledger says; null where one side has nothing."""

    kind: str
    order_id: UUID
    ledger_minor: int | None
    rows_minor: int | None


class EntryRow(Struct, frozen=True):
    """One row of a statement. `amount_minor` is positive; the kind says which way it goes."""

    posted_at: datetime
    kind: EntryKind
    id: UUID
    no: int
    shop: str
    order_id: UUID | None
    fee_code: str
    title: dict[str, str]
    period: str
    amount_minor: int
    receipt_number: str | None

    @property
    def owed_minor(self) -> int:
        """What it adds to what is owed to the department."""
        return self.amount_minor if self.kind == "payment" else -self.amount_minor


class Settlement(Struct, frozen=True):
    """What one department was paid in a period; every amount is the ledger's.

    `closing_minor` = opening + payments - refunds - fees - paid out + other. Below zero, the
    department owes: it is carried on.
    """

    shop: str
    account: str
    first_on: date
    last_on: date
    as_of: datetime
    final: bool
    """False while the period is not over: more may come."""
    opening_minor: int
    payments: int
    payments_minor: int
    refunds: int
    refunds_minor: int
    fees_minor: int
    """Channels' fees charged to the department; the platform bears them, so there are none."""
    net_minor: int
    """Payments less refunds and fees: what the period adds to what is payable."""
    paid_out_minor: int
    other_minor: int
    closing_minor: int
    rows: int
    others: list[str] = []
    """Other shops that have entries on the account; only an operator ever sees a statement of those."""


class NewPayout(Struct, frozen=True, forbid_unknown_fields=True):
    """Money that went to a department's bank for a statement."""

    shop: Slug
    first_on: date
    last_on: date
    amount_minor: PayoutMinor
    reference: Reference
    """The bank's number of the transfer."""
    account: Account | None = None
    """Where the shop had another settlement account; else the one of its manifest."""


class Payout(Struct, frozen=True):
    """A payout as recorded; it is never changed."""

    id: UUID
    account: str
    shop: str
    first_on: date
    last_on: date
    amount_minor: int
    reference: str
    paid_name: str
    paid_at: datetime


class PaidOut(Struct, frozen=True):
    """What was paid out of an account until an instant, ever, and as its guarded total."""

    then_minor: int
    now_minor: int
    total_minor: int
