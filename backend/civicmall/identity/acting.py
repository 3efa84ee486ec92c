"""Acting for somebody else: which right a door asks for, and whether the one who acts has it.

Every door of citizens asks for one: looking for a GET, applying for anything else, unless the handler
says otherwise in its `opt`. Doors about the account itself say "no": they are for its holder alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal
from uuid import UUID

from .errors import ActingNotAllowed
from .models import Actor, Caller, May

ACTING: Final = "acting"
"""The `opt` of a handler that asks for another right than its method does."""
SCOPED: Final = "scoped"
"""The `opt` of a handler without a `{shop}` in its address whose room looks itself at the shops that
an actor is limited to. Whoever is limited passes no other door.
"""
Right = Literal["no", "view", "apply", "pay"]
SELF: Final = {ACTING: "no"}
"""A door about the account itself."""
VIEW: Final = {ACTING: "view"}
"""A POST that only looks something up."""
APPLY: Final = {ACTING: "apply"}
"""A page about the account that whoever may apply may change: what is known, who may know it."""
PAY: Final = {ACTING: "pay"}
"""A door by which money is spent."""
LIMITED: Final = {SCOPED: True}
"""A door for those too who may act at certain shops only."""
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def needed(method: str, opt: Mapping[str, Any]) -> Right:
    """The right that a request asks for."""
    said: Right | None = opt.get(ACTING)
    return said or ("view" if method in READS else "apply")


def check(actor: Actor | None, method: str, opt: Mapping[str, Any], shop: str | None) -> None:
    """That whoever acts may pass a door; `shop` is the one in its address. Citizens themselves always
    may. Raises ActingNotAllowed, whose `missing` names the right.
    """
    if actor is None:
        return
    right = needed(method, opt)
    if right == "no":
        raise ActingNotAllowed(missing="self")
    has(actor, right)
    if shop is not None:
        at(actor, shop)
    elif actor.shops is not None and not opt.get(SCOPED):
        raise ActingNotAllowed(missing="shop")


def has(actor: Actor, right: May) -> None:
    """Raises ActingNotAllowed."""
    if right not in actor.may:
        raise ActingNotAllowed(missing=right)


def at(actor: Actor | None, shop: str) -> None:
    """That it holds for a shop. Raises ActingNotAllowed."""
    if not holds_at(actor, shop):
        raise ActingNotAllowed(missing="shop", shop=shop)


def holds_at(actor: Actor | None, shop: str) -> bool:
    """Whether somebody who acts, if anybody does, may do so at a shop."""
    return actor is None or actor.shops is None or shop in actor.shops


def by(caller: Caller) -> UUID | None:
    """Who acts for the citizen, as a line of the audit says it; None: they themselves."""
    return caller.actor.id if caller.actor else None


def limits(actor: Actor | None) -> list[str] | None:
    """The only shops that may be seen; None: all."""
    return None if actor is None or actor.shops is None else sorted(actor.shops)
