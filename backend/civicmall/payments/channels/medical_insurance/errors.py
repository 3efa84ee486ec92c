"""What can go wrong when a payment is split with a medical insurance."""

from civicmall.kernel.errors import Problem


class NotInsured(Problem):
    """The insurance doesn't pay for some lines; `lines` says which. Or it pays nothing of it now
    (`lines` is empty): the account has no money. Any other channel takes the order.
    """

    type, status, title = (
        "/problems/not-insured",
        409,
        "The medical insurance does not pay for this.",
    )


class InsurerDeclined(Problem):
    """The insurer declined and took nothing; `reason` is its code."""

    type, status, title = "/problems/insurer-declined", 409, "The medical insurance declined."


class NoSuchSplit(Problem):
    """The order isn't being paid with a medical insurance: pay it through that channel first."""

    type, status, title = (
        "/problems/no-such-split",
        404,
        "This order is not being paid with the medical insurance.",
    )
