"""What can go wrong while somebody proves who they are; none of it raises a level."""

from civicmall.kernel.errors import Problem


class AuthorityAway(Problem):
    """No authority is connected, or it doesn't answer, or its answer is not its own."""

    type, status, title = (
        "/problems/authority-away",
        503,
        "The authority that checks identities doesn't answer; try again later.",
    )


class TooManyVerifications(Problem):
    """More tries on one day than people need: by this account, or with this ID number."""

    type, status, title = (
        "/problems/too-many-verifications",
        429,
        "Too many tries today; try again tomorrow.",
    )


class RealNameFirst(Problem):
    """A face is compared with the photograph of a name and number: those come first (level 2)."""

    type, status, title = "/problems/real-name-first", 403, "Verify your name and ID number first."


class FaceCheckOver(Problem):
    """No such check of this citizen's, or it has a result, or its time is over: begin another."""

    type, status, title = "/problems/face-check-over", 409, "This face check is over; begin again."


class FaceCheckWaiting(Problem):
    """The authority has no result yet."""

    type, status, title = "/problems/face-check-waiting", 409, "The face check isn't finished yet."


class FaceCheckFailed(Problem):
    """The authority says that the face is not that of this name and number."""

    type, status, title = "/problems/face-check-failed", 422, "The face check did not succeed."


class FaceOfAnother(Problem):
    """The authority's result is for another ID number than the one that the check was begun for."""

    type, status, title = "/problems/face-of-another", 409, "That face check was somebody else's."


class CounterRefused(Problem):
    """ID number and code don't go together, or the code is over: which of these is not said."""

    type, status, title = (
        "/problems/counter-code-wrong",
        422,
        "ID number and code don't go together. Ask for a new code.",
    )
