"""Decisions of the gateway: what of a shop's words goes on, and what a shop is asked at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

import msgspec

from civicmall import identity
from civicmall.identity import Caller, shop_subject
from civicmall.kernel import i18n
from shopkit import App, Bill, Manifest, Reason
from shopkit.contract import Id
from shopkit.manifest import Window

from .errors import ConsentNeeded, LevelTooLow, NoSuchThing

REASON_MAX: Final = 400
"""Characters of a shop's reason that are passed on: as many as any text of the contract has."""
WAIT_S: Final = 30
"""Until another try, where an unavailable shop names no time."""
WAIT_S_MAX: Final = 3600
SUBS_MAX: Final = 20_000
ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
"""A shop's own identifier in a query: `Id`, as a JSON Schema's pattern."""


class ShopKeys:
    """What is derived for one shop: its own secret, and the key of its citizens' pseudonyms."""

    def __init__(self, secret: bytes, pairwise: bytes) -> None:
        self.secret = secret
        self.sub: Callable[[UUID], str] = lru_cache(SUBS_MAX)(partial(shop_subject, pairwise))
        """What this shop knows a citizen by; every other shop knows them by another word."""


def entitled(app: App, shop: str, caller: Caller, agreed: frozenset[tuple[str, str]]) -> None:
    """That a citizen is known well enough and agreed to all that the app asks for.

    Raises ActingNotAllowed, LevelTooLow, ConsentNeeded.
    """
    known_well_enough(app, shop, caller)
    agreed_to(app, shop, agreed)


def known_well_enough(app: App, shop: str, caller: Caller) -> None:
    """That a citizen is known well enough for an app, and that whoever acts for them may do so at its
    shop: every call and every remembered answer passes here. Raises ActingNotAllowed, LevelTooLow.
    """
    identity.acting.at(caller.actor, shop)
    if caller.level < app.min_level:
        raise LevelTooLow(needed=app.min_level)


def asked(app: App) -> list[tuple[str, str]]:
    """What an app asks for: claim, and the zh-CN of its purpose."""
    return [(claim.name, claim.purpose[i18n.DEFAULT]) for claim in app.claims]


def agreed_to(app: App, shop: str, agreed: frozenset[tuple[str, str]]) -> None:
    """That each claim was agreed to for the purpose that this version says. Raises ConsentNeeded."""
    missing = {
        c.name: dict(c.purpose)
        for c in app.claims
        if (c.name, c.purpose[i18n.DEFAULT]) not in agreed
    }
    if missing:
        raise ConsentNeeded(shop=shop, app=app.id, claims=missing)


def identifier(said: str, shop: str) -> str:
    """A shop's identifier; anything else can't be one. Raises NoSuchThing.

    A shop never sees such a thing, so a caller can't make it stumble.
    """
    try:
        return msgspec.convert(said, Id)
    except msgspec.ValidationError as error:
        raise NoSuchThing(shop=shop) from error


def maintenance(manifest: Manifest, now: datetime) -> Window | None:
    """The announced maintenance that is on now."""
    return next((w for w in manifest.maintenance if w.begins_at <= now < w.ends_at), None)


def reasons(said: Any, lang: str) -> list[dict[str, str]]:
    """A shop's reasons as field errors; nothing has checked what a shop raises."""
    try:
        found = msgspec.convert(msgspec.to_builtins(said), list[Reason])
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return []
    return [
        {"field": words(reason.field) or "$", "problem": words(i18n.pick(reason.message, lang))}
        for reason in found
    ]


def owed(bills: list[Bill]) -> list[Bill]:
    """Those that are still to be paid."""
    return [bill for bill in bills if bill.state != "paid"]


def words(said: Any) -> str:
    """A shop's reason as far as it can be shown; nothing has checked what a shop raises."""
    if not isinstance(said, str):
        return ""
    return said[:REASON_MAX].replace("\0", "").encode(errors="replace").decode()


def wait_s(said: Any) -> int:
    """Seconds that a shop asks for, as far as that is a number to go by."""
    return said if isinstance(said, int) and 0 < said <= WAIT_S_MAX else WAIT_S
