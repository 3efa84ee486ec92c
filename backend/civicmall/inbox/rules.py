"""Decisions of the inbox: limits, and what a message must be."""

from __future__ import annotations

from typing import Final

from civicmall.kernel import i18n
from civicmall.kernel.i18n import Text

from .models import Message, MessageRow

KEEP_DAYS: Final = 2 * 365
"""A message may be the only notice somebody got of a decision, and an action against one must be
brought within six months of learning of it (Administrative Litigation Law art. 46); twice a year
of tax and heating bills is what people look back for."""
FORGET_AT_ONCE: Final = 500
"""Rows per statement and bucket: a job that was away for weeks must not hold locks for minutes."""
UNREAD_SHOWN_MAX: Final = 100
"""A badge says 99+; counting thousands of rows for it helps nobody."""
LANGUAGES: Final = ("zh-CN", "en")


def fault(title: Text, body: Text, link: str) -> str:
    """What makes a message unfit to be sent; empty where nothing does.

    A link is a path of ours: an inbox that leads to other sites is what fraudsters wish for.
    """
    for name, text in (("title", title), ("body", body)):
        for lang in LANGUAGES:
            if not text.get(lang, "").strip():
                return f"{name} has no {lang} text"
    if not link.startswith("/") or link.startswith("//") or "\\" in link:
        return "link is not a path in the app"
    return ""


def shown(row: MessageRow, lang: str) -> Message:
    """A message in one language."""
    return Message(
        id=row.id,
        kind=row.kind,
        title=i18n.pick(row.title, lang),
        body=i18n.pick(row.body, lang),
        link=row.link,
        sent_at=row.sent_at,
        read_at=row.read_at,
    )
