"""What comes back from a shop, as one of our problems; each says whose fault it was."""

from __future__ import annotations

from typing import Final

import shopkit
from civicmall.kernel import logs
from civicmall.kernel.errors import Problem
from shopkit.answers import WrongAnswer

from . import rules
from .errors import (
    FormRefused,
    NoSuchThing,
    ShopBadAnswer,
    ShopFailed,
    ShopRefused,
    ShopTimeout,
    ShopUnavailable,
)
from .facts import ShopBroken

log = logs.get("gateway")
AWAY_S: Final = 30
"""When to try again where nothing can be known: as long as an address is remembered."""
AWAY: frozenset[str] = frozenset({"unreachable", "certificate", "address"})
"""Faults of the way there: the shop is recovering, rather than faulty."""


def named(shop: str, app: str, operation: str, error: Exception, lang: str) -> tuple[str, Problem]:
    """The outcome's name for the metrics, and the problem for the caller. Logs a shop's fault."""
    if isinstance(error, Problem):
        return "rejected", error
    if isinstance(error, shopkit.ShopError):
        return _refused(shop, error, lang)
    return _faulty(shop, app, operation, error)


def _faulty(shop: str, app: str, operation: str, error: Exception) -> tuple[str, Problem]:
    """The shop's own faults."""
    if isinstance(error, TimeoutError):
        return "timeout", ShopTimeout(shop=shop)
    said = {"shop": shop, "app": app, "operation": operation}
    if isinstance(error, WrongAnswer):
        log.warning("shop.bad_answer", check=error.check, seen=error.seen, **said)
        return "bad_answer", ShopBadAnswer(shop=shop, check=error.check)
    if not isinstance(error, ShopBroken):
        log.error("shop.failed", exc_info=error, **said)
        return "failed", ShopFailed(shop=shop)
    log.warning("shop.broken", check=error.check, seen=error.seen, **said)
    if error.check in AWAY:
        return error.check, ShopUnavailable(shop=shop, check=error.check, retry_after_s=AWAY_S)
    return "failed", ShopFailed(shop=shop, check=error.check)


def _refused(shop: str, error: shopkit.ShopError, lang: str) -> tuple[str, Problem]:
    """What a shop says on purpose."""
    match error:
        case shopkit.NotFound():
            return "not_found", NoSuchThing(shop=shop)
        case shopkit.BadForm():
            return "refused", FormRefused(errors=rules.reasons(error.reasons, lang))
        case shopkit.Unavailable():
            wait_s = rules.wait_s(error.retry_after_s)
            return "unavailable", ShopUnavailable(shop=shop, retry_after_s=wait_s)
        case _:
            return "refused", ShopRefused(rules.words(error.detail), shop=shop)
