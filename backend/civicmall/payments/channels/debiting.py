"""What a channel offers that can debit without the payer present (代扣)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

if TYPE_CHECKING:  # mandates stand on channels
    from civicmall.payments.mandates.models import Agreement, AgreementAsk, Declined, Pending
    from civicmall.payments.models import OrderRow, Paid


@runtime_checkable
class Debiting(Protocol):
    """The optional half of a channel's face. Whatever can't be asked about now raises `ChannelAway`."""

    async def agree(self, ask: AgreementAsk) -> Agreement:
        """Ask the payer's leave, or how it stands: the same `mandate_id` again is no second one.

        The answer has the channel's number once the payer has agreed, and before that the page at
        which they do.
        """
        ...

    async def debit(self, order: OrderRow, agreement: str) -> Paid | Pending | Declined:
        """Take an order's amount; the same order again takes nothing more and says how it stands.

        The order's number is the merchant's number of the payment, as at the cashier: what comes
        later comes as any callback does, and `query` and `cancel` know it. An order that can't be
        paid any more is declined.
        """
        ...

    async def end(self, agreement: str) -> None:
        """Give the leave back; no harm if it is over."""
        ...

    async def withdraw(self, mandate_id: UUID) -> None:
        """The same by the number that it was asked under, whether or not the payer has agreed: from
        now on they can't any more. No harm where nothing was asked.
        """
        ...
