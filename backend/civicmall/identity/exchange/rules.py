"""Decisions about tokens for others: pure, tested without a database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from civicmall.identity.narrow import DOORS

AUDIENCE: Final = re.compile(r"([a-z][a-z0-9_]{1,39})/([a-z][a-z0-9_]{1,39})")
"""`shop/app`: a shop's id and one of its apps'."""
SCOPE_WORD: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
"""RFC 6749 section 3.3."""


def shop_and_app(audience: str) -> tuple[str, str] | None:
    """The two parts of an audience; None for one that no app of ours has."""
    found = AUDIENCE.fullmatch(audience)
    return None if found is None else (found[1], found[2])


def narrowed(asked: str | None, capabilities: Iterable[str]) -> frozenset[str] | None:
    """The capabilities that a mini-app's token is good for: all that its app has doors for, or
    those asked for. None where one is asked for that the app hasn't.
    """
    may = DOORS.intersection(capabilities)
    if asked is None:
        return may
    words = asked.split(" ")
    if not all(SCOPE_WORD.fullmatch(word) for word in words) or not may.issuperset(words):
        return None
    return frozenset(words)


def with_query(uri: str, added: Mapping[str, str]) -> str:
    """A registered address with parameters behind those that it has."""
    parts = urlsplit(uri)
    query = "&".join(filter(None, (parts.query, urlencode(added))))
    return urlunsplit(parts._replace(query=query))
