"""What can go wrong with a case."""

from civicmall.kernel.errors import Problem


class NoSuchCase(Problem):
    """No case of this id, or somebody else's: no difference is shown."""

    type, status, title = "/problems/no-such-case", 404, "There is no such case."


class NotNow(Problem):
    """The case is in a state in which this can't be done; `state` says which."""

    type, status, title = "/problems/case-not-now", 409, "This can't be done with the case now."


class WithdrawalRefused(Problem):
    """The department won't give the application back; its words are the detail."""

    type, status, title = (
        "/problems/withdrawal-refused",
        409,
        "The department did not agree to the withdrawal.",
    )


class WrongMedia(Problem):
    """The body is no PDF, JPEG or PNG by its content type."""

    type, status, title = (
        "/problems/material-media",
        415,
        "A material is a PDF, a JPEG or a PNG.",
    )


class MaterialUnfit(Problem):
    """The body is empty, or not what its content type says."""

    type, status, title = "/problems/material-unfit", 422, "This file is not what it says it is."


class TooManyCases(Problem):
    """A citizen has applied more often in a day than anybody has affairs; `max` says how often."""

    type, status, title = "/problems/too-many-cases", 429, "You have applied very often today."


class TooManyMaterials(Problem):
    """More papers wait for a case than one case may have."""

    type, status, title = "/problems/too-many-materials", 409, "Too many files wait for a case."
