"""What can go wrong with a statement."""

from civicmall.kernel.errors import Problem


class StatementBad(Problem):
    """Rows that can't be read; `lines` names the first of them with the reason, `bad` counts all."""

    type, status, title = (
        "/problems/statement-bad",
        422,
        "The statement has rows that can't be read.",
    )


class StatementUnreadable(Problem):
    """No statement of this channel and day, or not a whole one; `line` and `reason` say where."""

    type, status, title = (
        "/problems/statement-unreadable",
        422,
        "This is no whole statement of the channel.",
    )


class OtherStatement(Problem):
    """Another file was read for this day; only an operator who says so replaces it."""

    type, status, title = (
        "/problems/statement-differs",
        409,
        "Another statement was read for this day already.",
    )


class StatementBusy(Problem):
    """Another run is at work on the same statement; what it did stays done."""

    type, status, title = "/problems/statement-busy", 409, "This statement is being read just now."


class DayNotOver(Problem):
    """The day is not over in the city."""

    type, status, title = "/problems/day-not-over", 422, "This day is not over yet."


class NoSuchStatement(Problem):
    """No statement of this channel and day was read."""

    type, status, title = "/problems/no-such-statement", 404, "There is no such statement."
