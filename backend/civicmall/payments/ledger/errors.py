"""What can go wrong when somebody asks the ledger."""

from civicmall.kernel.errors import Problem


class NotYet(Problem):
    """The instant lies in the future: nobody knows what the balances will be."""

    type, status, title = "/problems/not-yet", 422, "That instant has not come yet."


class NoSuchAccount(Problem):
    """The ledger has no entry of this account."""

    type, status, title = "/problems/no-such-account", 404, "The ledger has no such account."
