"""What can go wrong with what is known of a citizen, and with leaving."""

from civicmall.kernel.errors import Problem


class NoSuchAttribute(Problem):
    """A name that stands for no attribute."""

    type, status, title = "/problems/no-such-attribute", 404, "There is no such attribute."


class NothingToDispute(Problem):
    """The source attests no such thing of the citizen; one's own word is changed, not disputed."""

    type, status, title = (
        "/problems/nothing-to-dispute",
        409,
        "Nobody attests this, so there is nothing to object to.",
    )


class NoSuchDispute(Problem):
    """No objection of this id, or to another source's facts, or one that is gone."""

    type, status, title = "/problems/no-such-dispute", 404, "There is no such objection."


class DisputeAnswered(Problem):
    """It was answered already."""

    type, status, title = "/problems/dispute-answered", 409, "This objection is answered already."


class RegisterStands(Problem):
    """What the register attests can't be withdrawn here: it is corrected there."""

    type, status, title = (
        "/problems/register-stands",
        409,
        "The register's word is corrected at the register, not here.",
    )


class BadEvent(Problem):
    """A day that has not come yet, or that no living person remembers."""

    type, status, title = "/problems/bad-event", 422, "This day can't be right."


class NoSuchEvent(Problem):
    """No event of the citizen's own has this id."""

    type, status, title = "/problems/no-such-event", 404, "There is no such event."


class TooManyEvents(Problem):
    """More than a life has."""

    type, status, title = "/problems/too-many-events", 422, "There are too many events already."


class NotYetFree(Problem):
    """Something is unfinished; `open` names each: the account can't be deleted before."""

    type, status, title = (
        "/problems/not-yet-free",
        409,
        "Something of yours is unfinished; the account can be deleted after that.",
    )


class DeletionUnderWay(Problem):
    """Its deletion has begun."""

    type, status, title = "/problems/deletion-under-way", 409, "This account is being deleted."


class BadAttestation(Problem):
    """A value of another form, a day to come, or an attribute that the shop's manifest doesn't name
    in `attests`; `errors` says which.
    """

    type, status, title = "/problems/bad-attestation", 422, "This attestation can't be taken."
