"""What can go wrong between the platform and a shop, and whose fault it was.

A shop's fault is 502, 503 or 504 and counts on its breaker; a caller's is 4xx and does not.
"""

from typing import Final

from civicmall import identity
from civicmall.kernel.errors import Problem
from civicmall.shops import NoSuchApp, NoSuchShop


class NoSuchThing(Problem):
    """The shop knows no such bill or matter of this citizen; also when it is somebody else's."""

    type, status, title = (
        "/problems/no-such-thing",
        404,
        "The department has no such record of yours.",
    )


class LevelTooLow(Problem):
    """The app needs a higher real-name level; `needed` says which, `ways` what leads there: `register`
    (name and ID number), `face`, `counter`.
    """

    type, status, title = (
        "/problems/level-too-low",
        403,
        "Verify your identity to use this service.",
    )

    def __init__(self, needed: int) -> None:
        super().__init__(needed=needed, ways=identity.levels.ways(needed))


class ConsentNeeded(Problem):
    """The citizen hasn't yet agreed that this app gets the facts in `claims`."""

    type, status, title = (
        "/problems/consent-needed",
        403,
        "This service asks for your consent first.",
    )


class ShopRefused(Problem):
    """The department says no, with its reason."""

    type, status, title = "/problems/shop-refused", 409, "The department declined this request."


class FormRefused(Problem):
    """What was filled in can't be taken; `errors` names each field."""

    type, status, title = (
        "/problems/form-refused",
        422,
        "Some of what you filled in can't be taken.",
    )


class ShopBadAnswer(Problem):
    """The shop answered against its contract; the log says how."""

    type, status, title = "/problems/shop-bad-answer", 502, "The department's answer was faulty."


class ShopFailed(Problem):
    """The shop's code raised something that is no refusal; the log has it."""

    type, status, title = "/problems/shop-failed", 502, "The department's service has a fault."


class ShopUnavailable(Problem):
    """The shop is broken, overloaded, or just failed too often (恢复中)."""

    type, status, title = (
        "/problems/shop-unavailable",
        503,
        "This department's service is recovering.",
    )


class ShopMaintenance(Problem):
    """Maintenance that the department announced; `until` and `note` say more."""

    type, status, title = (
        "/problems/shop-maintenance",
        503,
        "This department's service is under announced maintenance.",
    )


class ShopTimeout(Problem):
    """The shop did not answer in time."""

    type, status, title = "/problems/shop-timeout", 504, "The department did not answer in time."


class CallbackRefused(Problem):
    """A shop's callback whose signature isn't believed; `check` and `detail` say what was wrong."""

    type, status, title = "/problems/callback-refused", 401, "The callback's signature is refused."


class TooManyCalls(Problem):
    """One citizen asks a shop more at once than anybody needs."""

    type, status, title = (
        "/problems/too-many-calls",
        429,
        "Too many requests at once; wait a little.",
    )


SHOP_FAULTS: Final = (ShopBadAnswer, ShopFailed, ShopMaintenance, ShopTimeout, ShopUnavailable)
"""Nobody's fault but the shop's: another time it may do."""
ASKING: Final = (
    NoSuchShop, NoSuchApp, NoSuchThing, ConsentNeeded, LevelTooLow, ShopRefused, ShopBadAnswer,
    ShopFailed, ShopMaintenance, ShopUnavailable, ShopTimeout, TooManyCalls,
)  # fmt: skip
"""What any question to a shop may come back with."""
FILLING: Final = (*ASKING, FormRefused)
"""The same where a citizen fills something in."""
