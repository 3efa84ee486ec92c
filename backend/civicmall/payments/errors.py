"""What can go wrong at the payment centre."""

from civicmall.kernel.errors import Problem


class NoSuchOrder(Problem):
    """No order of this id, or somebody else's: no difference is shown."""

    type, status, title = "/problems/no-such-order", 404, "There is no such order."


class ChargeInOrder(Problem):
    """The charge stands in another open or paid order; `order_id` says which."""

    type, status, title = "/problems/charge-in-order", 409, "This bill is in another order already."


class NotPayable(Problem):
    """The order is paid, closed or refunded; `state` says which."""

    type, status, title = "/problems/order-not-payable", 409, "This order can't be paid any more."


class NotCancellable(Problem):
    """The order is paid or closed; `state` says which."""

    type, status, title = "/problems/order-not-cancellable", 409, "This order can't be cancelled."


class NoReceipt(Problem):
    """The order was not paid, or its department has not acknowledged it yet."""

    type, status, title = "/problems/no-receipt", 409, "There is no receipt yet."


class ForgedCallback(Problem):
    """The channel's signature doesn't hold; `reason` says which part."""

    type, status, title = "/problems/callback-forged", 401, "The callback's signature is not right."


class NoSuchChannel(Problem):
    """No payment channel of this name."""

    type, status, title = "/problems/no-such-channel", 404, "There is no such payment channel."


class CashierClosed(Problem):
    """The cashier's link is wrong or its order is over."""

    type, status, title = "/problems/cashier-closed", 409, "This cashier page is closed."


class ChargeTwice(Problem):
    """One charge stands twice in the request."""

    type, status, title = "/problems/charge-twice", 422, "A bill stands twice in this order."


class ChannelAway(Problem):
    """The channel can't be reached, or doesn't answer as it should; `channel` says which."""

    type, status, title = "/problems/channel-away", 503, "The payment channel can't be reached."


class NoSuchRefund(Problem):
    """No refund of this id, or another department's: no difference is shown."""

    type, status, title = "/problems/no-such-refund", 404, "There is no such refund."


class NotRefundable(Problem):
    """More than what is left of the line, or a line that was not fulfilled; `left_minor` says what is."""

    type, status, title = "/problems/not-refundable", 409, "This can't be refunded."


class RefundDecided(Problem):
    """The refund is past this step; `state` says where it is."""

    type, status, title = "/problems/refund-decided", 409, "This refund was decided already."


class SecondPersonNeeded(Problem):
    """The amount is over the limit for one person; another operator decides."""

    type, status, title = "/problems/second-person-needed", 403, "Somebody else must approve this."


class NoSuchMandate(Problem):
    """No mandate of this id, or somebody else's: no difference is shown."""

    type, status, title = "/problems/no-such-mandate", 404, "There is no such mandate."


class MandateExists(Problem):
    """These bills are debited by another mandate already; `mandate_id` says which."""

    type, status, title = "/problems/mandate-exists", 409, "There is a mandate for these bills."


class TooManyMandates(Problem):
    """As many live mandates as one citizen may have; `most` says how many."""

    type, status, title = "/problems/too-many-mandates", 409, "You have too many mandates."


class BadMandate(Problem):
    """Caps or days that make no sense; `errors` names the field."""

    type, status, title = "/problems/bad-mandate", 422, "This mandate can't be made like that."


class NoSuchBeneficiary(Problem):
    """None of the app's bills of this citizen is for this beneficiary."""

    type, status, title = (
        "/problems/no-such-beneficiary",
        422,
        "None of your bills there is for this account.",
    )


class ChannelCannotDebit(Problem):
    """The channel takes payments only from who is present; `channel` says which."""

    type, status, title = (
        "/problems/channel-cannot-debit",
        409,
        "This payment channel doesn't offer automatic debits.",
    )


class MandateMovedOn(Problem):
    """The mandate's state does not allow this any more; `state` says which."""

    type, status, title = "/problems/mandate-moved-on", 409, "This mandate can't do that now."


class AgreementClosed(Problem):
    """The link to the bank's agreement is wrong, or it is over."""

    type, status, title = "/problems/agreement-closed", 409, "This agreement page is closed."
