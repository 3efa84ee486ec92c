"""What we and a medical insurer say to each other: one kind of letter for each thing, signed.

The narrow protocol that an insurer must fit: a letter is JSON with its `type`; the answer is JSON
of the type that belongs to it, signed with Ed25519 over `timestamp.body` (seconds since 1970). Over
HTTP the two values are headers, in this process they are fields. Amounts in 分. Every number is
ours and says the same thing each time it is used: a letter may be sent again without harm.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Final, Literal, Protocol
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta, Struct

from civicmall.payments.errors import ForgedCallback
from civicmall.payments.models import Txn
from civicmall.payments.rules import CALLBACK_SKEW_S

TIMESTAMP: Final = "insurer-timestamp"
SIGNATURE: Final = "insurer-signature"
Minor = Annotated[int, Meta(ge=0, le=100_000_000_00)]
Trouble = Annotated[str, Meta(max_length=200)]


class Item(Struct, frozen=True):
    """One thing to pay: `fee` is the shop and its fee code, `shop/code`."""

    fee: str
    amount_minor: Minor


class Quote(Struct, frozen=True, tag="quote"):
    """How much would you pay of this? Changes nothing at the insurer.

    `holder` is a pseudonym that the insurer knows the citizen by.
    """

    order_id: UUID
    holder: str
    items: list[Item]


class Deduct(Struct, frozen=True, tag="deduct"):
    """Take these parts; at most once for each `number`, and never after it was reversed."""

    number: UUID
    order_id: UUID
    holder: str
    pool_minor: Minor
    account_minor: Minor


class Look(Struct, frozen=True, tag="look"):
    """Ask how a deduction stands."""

    number: UUID
    order_id: UUID


class Reverse(Struct, frozen=True, tag="reverse"):
    """Undo a deduction, or see to it that one which is still on its way is never made."""

    number: UUID
    order_id: UUID


class GiveBack(Struct, frozen=True, tag="give_back"):
    """Take parts of a deduction back; at most once for each `refund_number`."""

    number: UUID
    order_id: UUID
    refund_number: UUID
    pool_minor: Minor
    account_minor: Minor


class LookBack(Struct, frozen=True, tag="look_back"):
    """Ask how a refund stands."""

    number: UUID
    order_id: UUID
    refund_number: UUID


class Quoted(Struct, frozen=True, tag="quoted"):
    """What the pooled fund and the citizen's own account would pay; the rest is the citizen's."""

    pool_minor: Minor
    account_minor: Minor


class Deduction(Struct, frozen=True, tag="deduction"):
    """How a deduction stands. `unknown`: never heard of; `pending`: news follow."""

    number: UUID
    state: Literal["unknown", "pending", "deducted", "declined", "reversed"]
    pool_minor: Minor = 0
    account_minor: Minor = 0
    txn: Txn | None = None
    at: datetime | None = None
    trouble: Trouble = ""
    """Why it was declined: a code of the insurer, nothing personal."""


class GivenBack(Struct, frozen=True, tag="given_back"):
    """How a refund stands; `unknown` where it was never heard of."""

    number: UUID
    refund_number: UUID
    state: Literal["unknown", "pending", "done", "failed"]
    txn: Txn | None = None
    trouble: Trouble = ""


Ask = Quote | Deduct | Look | Reverse | GiveBack | LookBack
Said = Quoted | Deduction | GivenBack


class Letter(Struct, frozen=True):
    """What an insurer said, as it came."""

    body: bytes
    timestamp: str
    signature: str


class Wire(Protocol):
    """The way to an insurer: in this process, or over HTTP."""

    public_key: Ed25519PublicKey
    """What its letters are checked with."""

    async def send(self, ask: bytes) -> Letter:
        """One letter there, one back. Raises ChannelAway; nobody knows then what became of it."""
        ...

    def statement(self, day: date) -> AsyncIterator[bytes]:
        """What it took and gave back on one day of the city, as CSV. Raises ChannelAway."""
        ...


def sign(key: Ed25519PrivateKey, body: bytes, now: datetime) -> Letter:
    """As the insurer does."""
    stamp = str(int(now.timestamp()))
    signature = key.sign(stamp.encode() + b"." + body)
    return Letter(body, stamp, base64.b64encode(signature).decode())


def read(key: Ed25519PublicKey, letter: Letter, now: datetime) -> Said:
    """What an insurer said, once signature and age were checked. Raises ForgedCallback."""
    stamp = letter.timestamp
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 15 or not letter.signature:  # noqa: PLR2004
        raise ForgedCallback(reason="headers-missing")
    try:
        raw = base64.b64decode(letter.signature, validate=True)
        key.verify(raw, stamp.encode() + b"." + letter.body)
    except (InvalidSignature, ValueError) as error:
        raise ForgedCallback(reason="signature") from error
    if abs(now.timestamp() - int(stamp)) > CALLBACK_SKEW_S:
        raise ForgedCallback(reason="timestamp")
    try:
        return msgspec.json.decode(letter.body, type=Said)
    except msgspec.MsgspecError as error:
        raise ForgedCallback(reason="body") from error
