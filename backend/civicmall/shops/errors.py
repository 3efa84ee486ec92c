"""What can go wrong in the registry."""

from civicmall.kernel.errors import Problem


class NoSuchShop(Problem):
    """No shop of this id."""

    type, status, title = "/problems/no-such-shop", 404, "There is no such shop."


class NoSuchApp(Problem):
    """The shop has no such app, or the app doesn't do this."""

    type, status, title = "/problems/no-such-app", 404, "This shop offers no such thing."


class ShopClosed(Problem):
    """The shop takes no calls now; `reason` is `suspended`, or `opening` where its first version
    is tried with a share of the citizens and this one isn't among them.
    """

    type, status, title = (
        "/problems/shop-closed",
        503,
        "This department's service is closed for the time being.",
    )


class ShopRetired(Problem):
    """The shop has closed for good; what was done there is kept."""

    type, status, title = (
        "/problems/shop-retired",
        410,
        "This department's service has closed for good.",
    )
