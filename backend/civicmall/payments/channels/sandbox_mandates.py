"""The sandbox's bank as one that debits: its agreements, its page for signing them, its failures.

Whoever signs for the first time does so on the bank's page; the next agreement of the same payer
is in force at once. On request the account is empty, the agreement is ended at the bank, or the
bank tells how a debit went by its callback only.
"""

from __future__ import annotations

import hmac
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

from civicmall.kernel import ids, outbox
from civicmall.kernel.house import House
from civicmall.payments.errors import AgreementClosed
from civicmall.payments.events import SandboxPaid
from civicmall.payments.mandates.models import Agreement, AgreementAsk, Declined, Pending
from civicmall.payments.mandates.queries import q
from civicmall.payments.models import OrderRow, Paid
from civicmall.payments.queries import q as bank

AgreementChoice = Literal["sign", "refuse", "end", "works", "no_funds", "callback_only"]
TURNS: Final[dict[AgreementChoice, tuple[list[str], str]]] = {
    "sign": (["waiting"], "signed"),
    "refuse": (["waiting"], "refused"),
    "end": (["signed"], "ended"),
}
"""What moves an agreement, and from where; the other choices are how its account behaves."""
NUMBER: Final = "SBA"


class SandboxAgreement(Struct, frozen=True):
    """An agreement as the sandbox's bank has it. 分."""

    mandate_id: UUID
    state: Literal["waiting", "signed", "refused", "ended"]
    mood: Literal["works", "no_funds", "callback_only"]
    cap_minor: int


class SandboxMandates:
    """The half of the sandbox that debits; the sandbox channel is one of these."""

    _house: House

    def agreement_token(self, mandate_id: object) -> str:
        """What opens this agreement's page, and only this one."""
        key = self._house.keys.derive("sandbox-agreement")
        return hmac.new(key, str(mandate_id).encode(), "sha256").hexdigest()[:32]

    async def agree(self, ask: AgreementAsk) -> Agreement:
        """Open the agreement, or tell how it stands."""
        row = await q.bank_agree(
            self._house.db,
            bucket=ids.bucket_of(ask.mandate_id),
            mandate_id=ask.mandate_id,
            payer=ask.payer,
            cap_minor=ask.cap_minor,
        )
        state = row["state"] if row is not None else "waiting"
        if state == "signed":
            return Agreement(number=NUMBER + ask.mandate_id.hex)
        if state != "waiting":
            return Agreement(refused=True)
        token = self.agreement_token(ask.mandate_id)
        at = f"{self._house.settings.public_url}/sandbox/agreements/{ask.mandate_id}"
        return Agreement(url=f"{at}?token={token}")

    async def debit(self, order: OrderRow, agreement: str) -> Paid | Pending | Declined:
        """Take the money from the payer's account, as far as the agreement and the account allow."""
        signed = await q.bank_agreement(self._house.db, **_key(_mandate(agreement)))
        if signed is None or signed["state"] != "signed":
            return Declined("agreement_ended", final=True)
        if order.amount_minor > signed["cap_minor"]:
            return Declined("over_cap")
        bucket, db = ids.bucket_of(order.id), self._house.db
        await bank.sandbox_open(
            db, bucket=bucket, order_id=order.id, amount_minor=order.amount_minor
        )
        if signed["mood"] == "no_funds":
            await bank.sandbox_turn(db, bucket=bucket, order_id=order.id, state="declined")
            return Declined("no_funds")
        txn = f"SBX{ids.new(bucket).hex}"
        told = SandboxPaid(order.id, txn, order.amount_minor, self._house.clock.now())
        kind, body = outbox.row(told)
        await bank.sandbox_pay(
            db,
            bucket=bucket,
            order_id=order.id,
            txn=txn,
            paid_minor=order.amount_minor,
            paid_at=told.paid_at,
            event_id=ids.new(bucket),
            type=kind,
            body=body,
        )
        self._house.hint()
        row = await bank.sandbox_payment(db, bucket=bucket, order_id=order.id)
        if row is None or row["state"] != "paid":
            return Declined("order_closed")
        if signed["mood"] == "callback_only":
            return Pending()
        return Paid(order.id, row["txn"], row["paid_minor"], row["paid_at"])

    async def end(self, agreement: str) -> None:
        """Strike the agreement from the bank's books."""
        was, state = TURNS["end"]
        await q.bank_turn(self._house.db, **_key(_mandate(agreement)), was=was, state=state)

    async def withdraw(self, mandate_id: UUID) -> None:
        """Strike an agreement, also one that nobody has signed: its page is closed."""
        await q.bank_withdraw(self._house.db, **_key(mandate_id))

    async def at_agreement(self, mandate_id: UUID, token: str) -> SandboxAgreement:
        """What the bank's page shows. Raises AgreementClosed."""
        if not hmac.compare_digest(token.encode(), self.agreement_token(mandate_id).encode()):
            raise AgreementClosed(reason="token")
        row = await q.bank_agreement(self._house.db, **_key(mandate_id))
        if row is None:
            raise AgreementClosed(reason="no-agreement")
        return SandboxAgreement(mandate_id, row["state"], row["mood"], row["cap_minor"])

    async def choose_agreement(
        self, mandate_id: UUID, token: str, choice: AgreementChoice
    ) -> SandboxAgreement:
        """What the payer does on that page, or how their account is to behave from now on.

        Raises AgreementClosed.
        """
        shown = await self.at_agreement(mandate_id, token)
        if choice in TURNS:
            was, state = TURNS[choice]
            turned = await q.bank_turn(self._house.db, **_key(mandate_id), was=was, state=state)
        else:
            turned = await q.bank_mood(self._house.db, **_key(mandate_id), mood=choice)
        if turned is None:
            raise AgreementClosed(state=shown.state)
        return await self.at_agreement(mandate_id, token)


def _mandate(agreement: str) -> UUID:
    """The bank's numbers carry the mandate's, as its numbers of payments carry the order's."""
    return UUID(agreement.removeprefix(NUMBER))


def _key(mandate_id: UUID) -> dict[str, object]:
    return {"bucket": ids.bucket_of(mandate_id), "mandate_id": mandate_id}
