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
