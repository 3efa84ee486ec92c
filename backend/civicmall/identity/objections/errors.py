"""What can go wrong with an objection to a reading."""

from civicmall.kernel.errors import Problem


class NoSuchReading(Problem):
    """The citizen's audit has no such line, or it is of no reading."""

    type, status, title = "/problems/no-such-reading", 404, "There is no such reading of your data."


class AlreadyObjected(Problem):
    """An objection is made once for a line."""

    type, status, title = "/problems/already-objected", 409, "You have objected to this already."


class TooManyObjections(Problem):
    """More on one day than people read."""

    type, status, title = (
        "/problems/too-many-objections",
        429,
        "Too many objections today; object to the others tomorrow.",
    )


class NoSuchObjection(Problem):
    """No objection has this id; or whoever made it has left."""

    type, status, title = "/problems/no-such-objection", 404, "There is no such objection."


class AlreadyAnswered(Problem):
    """An objection is answered once."""

    type, status, title = "/problems/already-answered", 409, "This objection is answered already."
