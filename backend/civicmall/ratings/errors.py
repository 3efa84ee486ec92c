"""What can go wrong with ratings and with the tickets that bad ones open."""

from civicmall.kernel.errors import Problem


class NotRateable(Problem):
    """No such finished order or call of this citizen; also when it is somebody else's."""

    type, status, title = "/problems/not-rateable", 404, "There is nothing of yours to rate here."


class NotFinished(Problem):
    """What was ordered has not been done yet, so there is nothing to judge."""

    type, status, title = "/problems/not-finished", 409, "This can be rated once it is done."


class AlreadyRated(Problem):
    """One matter, one rating (一事一评); `rating` is the id of the one there is."""

    type, status, title = "/problems/already-rated", 409, "You have rated this already."


class WrongTags(Problem):
    """Tags that don't exist, stand twice, or belong to another level; `errors` names each."""

    type, status, title = "/problems/wrong-tags", 422, "These tags don't fit this rating."


class NoSuchRectification(Problem):
    """No such ticket, or not one that the caller may see: no difference is shown."""

    type, status, title = "/problems/no-such-rectification", 404, "There is no such ticket."


class MovedOn(Problem):
    """The ticket is at another step, maybe since a moment ago; `state` and `may` say which."""

    type, status, title = (
        "/problems/rectification-moved-on",
        409,
        "This isn't possible at the ticket's present step.",
    )


class ReopenedTooOften(Problem):
    """The ticket went back as often as it may; an operator of the platform takes it from here."""

    type, status, title = (
        "/problems/reopened-too-often",
        409,
        "This ticket was sent back too often; turn to the platform.",
    )


class AppealedBefore(Problem):
    """A rating is reviewed once."""

    type, status, title = (
        "/problems/appealed-before",
        409,
        "This rating was reviewed before.",
    )


class RemindedToday(Problem):
    """One reminder a day."""

    type, status, title = (
        "/problems/reminded-today",
        409,
        "The department was reminded today already.",
    )
