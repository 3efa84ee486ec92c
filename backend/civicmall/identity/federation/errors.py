"""What can go wrong on the way through an upstream OpenID Provider; none of it signs anybody in."""

from civicmall.kernel.errors import Problem


class UpstreamAway(Problem):
    """The upstream is down, too slow, or answers with something that is no answer to this."""

    type, status, title = (
        "/problems/upstream-away",
        503,
        "The other sign-in doesn't answer; use your phone, or try again later.",
    )


class UpstreamWrong(Problem):
    """What the upstream said doesn't hold; `check` names the first thing that is wrong."""

    type, status, title = (
        "/problems/upstream-wrong",
        502,
        "The other sign-in gave an answer that we can't believe.",
    )


class UpstreamRefused(Problem):
    """The upstream said no, or the citizen did there; `error` is its code (RFC 6749, OpenID)."""

    type, status, title = "/problems/upstream-refused", 403, "The sign-in there was not finished."


class FlowBroken(Problem):
    """The way back doesn't fit the way out; `reason`: missing, expired, state, issuer, used."""

    type, status, title = (
        "/problems/sign-in-flow-broken",
        400,
        "This sign-in was not begun here, or it is over. Please begin again.",
    )


class LinkNeeded(Problem):
    """Known there, but with no account here yet: sign in by code once, and agree with `ticket`."""

    type, status, title = (
        "/problems/link-needed",
        409,
        "Sign in with your phone once, then connect the two accounts.",
    )


class LinkTaken(Problem):
    """That account of the upstream is connected with another citizen's here."""

    type, status, title = (
        "/problems/link-taken",
        409,
        "That account is connected with another one here.",
    )


class TooManyLinks(Problem):
    """A citizen has a few accounts elsewhere, not dozens."""

    type, status, title = "/problems/too-many-links", 409, "Take one of the connections away first."


class OtherPerson(Problem):
    """The upstream names another ID number than this account was verified with."""

    type, status, title = (
        "/problems/other-person",
        409,
        "The other sign-in knows you as somebody else than this account does.",
    )
