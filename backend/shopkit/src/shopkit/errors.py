"""What a shop may raise. Anything else that leaves a shop is the shop's own fault."""

from __future__ import annotations

from .contract import Reason


class ShopError(Exception):
    """A refusal on purpose; `detail` is shown to the citizen, so it carries no personal data."""

    code = "shop-error"

    def __init__(self, detail: str = "", *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class NotFound(ShopError):
    """The citizen has no such thing here (also when it is somebody else's: no difference shown)."""

    code = "not-found"


class Refused(ShopError):
    """The department says no, with a reason: already paid, not entitled, closed."""

    code = "refused"


class Unavailable(ShopError):
    """The department's own system does not answer now; try again after `retry_after_s`."""

    code = "unavailable"


class BadForm(ShopError):
    """Values that fit the form's schema but not each other; `reasons` name the fields."""

    code = "bad-form"

    def __init__(self, *reasons: Reason) -> None:
        super().__init__("; ".join(str(r.message.get("zh-CN", "")) for r in reasons))
        self.reasons = list(reasons)


class BadManifest(Exception):
    """A manifest that can't be used. `key` is the path of the wrong key, `path` the file."""

    def __init__(self, path: str, key: str, problem: str) -> None:
        super().__init__(f"{path}: {key}: {problem}")
        self.path = path
        self.key = key
        self.problem = problem
