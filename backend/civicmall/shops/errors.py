"""What can go wrong in the registry."""

from civicmall.kernel.errors import Problem


class NoSuchShop(Problem):
    """No shop of this id."""

    type, status, title = "/problems/no-such-shop", 404, "There is no such shop."


class NoSuchApp(Problem):
    """The shop has no such app, or the app doesn't do this."""

    type, status, title = "/problems/no-such-app", 404, "This shop offers no such thing."
