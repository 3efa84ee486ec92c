"""What can go wrong with papers: receipts, their codes, statements, payouts."""

from civicmall.kernel.errors import Problem


class CodeMistyped(Problem):
    """The receipt's code has a wrong length, a strange character, or its check part doesn't fit."""

    type, status, title = (
        "/problems/receipt-code-mistyped",
        422,
        "This code has a typing error; compare it with the paper.",
    )


class CodeForged(Problem):
    """The code is well formed, and we never gave it out."""

    type, status, title = (
        "/problems/receipt-code-forged",
        404,
        "This code is not from a receipt of ours.",
    )


class BadPeriod(Problem):
    """The first day after the last, more than 31 days, before 2000, or a day that has not begun."""

    type, status, title = (
        "/problems/bad-period",
        422,
        "A statement is of one to 31 days, none of them in the future.",
    )


class NotSettledYet(Problem):
    """News of some payments or refunds still waits to reach the statement; `orders` says of how
    many.
    """

    type, status, title = (
        "/problems/not-settled-yet",
        409,
        "Not everything of this period has arrived yet; try again soon.",
    )


class PeriodNotOver(Problem):
    """A payout is of a period that has ended; of this one more may come."""

    type, status, title = "/problems/period-not-over", 409, "The period is not over yet."


class SettlementDiffers(Problem):
    """What the department's rows say is not what the ledger says; `orders` says of how many. No
    statement is made; somebody of the platform must look.
    """

    type, status, title = (
        "/problems/settlement-differs",
        500,
        "The rows and the ledger differ; no statement was made.",
    )


class StatementTooLong(Problem):
    """More rows than such a paper takes; `rows_max` says how many do. Choose fewer days, or CSV."""

    type, status, title = (
        "/problems/statement-too-long",
        422,
        "This period has too many rows for this kind of file.",
    )


class NoSettlementAccount(Problem):
    """No such settlement account of this shop."""

    type, status, title = (
        "/problems/no-such-settlement-account",
        404,
        "The shop has no such settlement account.",
    )


class AccountShared(Problem):
    """Other shops have entries on this settlement account, so its department is shown nothing of
    it; an operator sees whose they are.
    """

    type, status, title = (
        "/problems/settlement-account-shared",
        403,
        "This settlement account has other shops' entries, so nothing of it is shown.",
    )


class MoreThanOwed(Problem):
    """The payout is over what is owed to the department; `left_minor` says what is left."""

    type, status, title = "/problems/more-than-owed", 409, "This is more than what is owed."
