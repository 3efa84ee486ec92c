"""What a check is, how it says what it saw, and the list of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, NoReturn

import msgspec
from msgspec import Struct

from ..manifest import App, Capability, Manifest  # noqa: TID252 (the package is one thing)

When = Callable[[App, Manifest], str]
"""Why a check doesn't apply to an app; empty where it does."""
Needs = Literal["any", "inside", "wire"]
"""`inside`: only of a Python shop in this process; `wire`: only of one at an address."""
SEEN_MAX: Final = 400
"""Characters of what was seen: a line or two."""


class Failed(Exception):
    """The check doesn't hold; `seen` says what was seen instead."""

    def __init__(self, seen: str) -> None:
        super().__init__(seen)
        self.seen = seen[:SEEN_MAX]


class Skipped(Exception):
    """The check can't be made here; says why."""


class Check(Struct, frozen=True):
    """One named check. `asks` is what the contract asks, in one sentence."""

    name: str
    group: str
    asks: str
    run: Callable[[Any], Awaitable[None]]
    needs: Needs = "any"
    capability: Capability | None = None
    once: bool = False
    """About the shop rather than one app: made once."""
    when: When | None = None

    def excused(self, app: App, manifest: Manifest) -> str:
        """Why it isn't made for this app; empty where it is."""
        if self.capability is not None and self.capability not in app.capabilities:
            return f"the app has no {self.capability}"
        return self.when(app, manifest) if self.when else ""


CHECKS: Final[dict[str, Check]] = {}
"""By name, in the order in which they are made."""
Run = Callable[[Any], Awaitable[None]]


def check(
    group: str, *, needs: Needs = "any", capability: Capability | None = None, once: bool = False,
    when: When | None = None,
) -> Callable[[Run], Run]:  # fmt: skip
    """Add a function as the check of its name, with dashes; its docstring is what is asked."""

    def keep(function: Run) -> Run:
        name = function.__name__.replace("_", "-")
        asks = " ".join((function.__doc__ or "").split())
        if name in CHECKS or not asks:
            raise ValueError(f"the check {name} stands twice, or doesn't say what it asks")
        CHECKS[name] = Check(name, group, asks, function, needs, capability, once, when)
        return function

    return keep


def hold(condition: object, seen: str) -> None:
    """That it holds. Raises Failed."""
    if not condition:
        raise Failed(seen)


def fail(seen: str) -> NoReturn:
    """Raises Failed."""
    raise Failed(seen)


def short(what: Any) -> str:
    """A value for a report: its JSON, cut."""
    try:
        text = msgspec.json.encode(what).decode()
    except (msgspec.MsgspecError, TypeError, ValueError):
        text = repr(what)
    return text if len(text) <= SEEN_MAX // 2 else text[: SEEN_MAX // 2] + "…"


def asks_for_claims(app: App, _: Manifest) -> str:
    """For checks about claims."""
    return "" if app.claims else "the app asks for no claims"


def since_2(_: App, manifest: Manifest) -> str:
    """For checks about what came with contract 2."""
    return "" if manifest.contract > 1 else "came with contract 2"


def attests(_: App, manifest: Manifest) -> str:
    """For checks about what a shop tells of citizens."""
    return "" if manifest.attests else "the shop attests nothing"


def hears(_: App, manifest: Manifest) -> str:
    """For checks about events."""
    return "" if manifest.webhooks else "the shop wants no events"
