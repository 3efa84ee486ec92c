"""What can go wrong with acting for others."""

from civicmall.kernel.errors import Problem


class NoSuchDelegation(Problem):
    """No such delegation, or one that the caller has no part in: no difference is shown."""

    type, status, title = "/problems/no-such-delegation", 404, "There is no such delegation."


class DelegationEnded(Problem):
    """It was ended or its time is over; `reason` says how."""

    type, status, title = "/problems/delegation-ended", 409, "This delegation has ended."


class DelegationWaits(Problem):
    """Nobody has accepted it yet."""

    type, status, title = "/problems/delegation-waits", 409, "This delegation isn't accepted yet."


class ActorUnproven(Problem):
    """Who acts for others is known by their real name; `needed` is the level."""

    type, status, title = (
        "/problems/actor-unproven",
        403,
        "Verify your identity before you act for others.",
    )


class RelationUnproven(Problem):
    """The register doesn't know this relation, or no such person or enterprise: no difference."""

    type, status, title = "/problems/relation-unproven", 422, "The register shows no such relation."


class OfAge(Problem):
    """Eighteen or older (Civil Code, article 17): such a person decides themselves whom to let act."""

    type, status, title = "/problems/of-age", 422, "An adult must agree; invite them instead."


class BadDelegation(Problem):
    """What may be done, where, or until when can't be so; `errors` names each field."""

    type, status, title = "/problems/bad-delegation", 422, "A delegation can't be made like this."


class TooManyDelegations(Problem):
    """More invitations in a day than people need."""

    type, status, title = (
        "/problems/too-many-delegations",
        429,
        "Too many invitations today; try again tomorrow.",
    )


class NotEndable(Problem):
    """What the law gives isn't theirs to end: a minor's parents are the guardians (Civil Code, 27)."""

    type, status, title = "/problems/not-endable", 403, "This can't be ended from your side."
