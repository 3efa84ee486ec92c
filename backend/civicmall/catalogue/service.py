"""Verbs of the catalogue: keep the content's items in the database, and read them back compiled."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec

from civicmall.kernel import sql
from civicmall.kernel.db import Db

from .catalogue import Catalogue
from .content import Content, convert, read
from .models import Item, StoredItem

q = sql.load(__file__, StoredItem)
TABLE: Final = "catalogue.item"


@cache
def content() -> Content:
    """The content that came with this program, read once. Raises BadContent."""
    return read()


def from_content(valid_from: datetime) -> Catalogue:
    """The catalogue straight from the content, without a database: for checks and measurements.

    Raises BadContent.
    """
    return Catalogue(content(), [(w.file, w.item, valid_from) for w in content().items])


async def load(db: Db) -> int:
    """Bring the database's items to the content's; answers how many were new or had changed.

    The same content again changes nothing; every earlier version stays in `catalogue.item_past`.
    Raises BadContent.
    """
    items: list[dict[str, Any]] = []
    for written in content().items:
        body = msgspec.json.encode(written.item, order="deterministic")
        digest = hashlib.sha256(body).hexdigest()
        items.append({"code": written.item.code, "digest": digest, "body": msgspec.Raw(body)})
    changed: int = await q.load(db, items=items)
    return changed


async def snapshot(db: Db) -> Catalogue:
    """The catalogue as the database has it now, compiled. Raises BadContent."""
    rows: list[StoredItem] = await q.items(db)
    stored: dict[str, StoredItem] = {row.code: row for row in rows}
    order = {written.item.code: i for i, written in enumerate(content().items)}
    codes = sorted(stored, key=lambda code: (order.get(code, len(order)), code))
    return Catalogue(
        content(),
        [
            (TABLE, convert(TABLE, code, stored[code].body, Item), stored[code].valid_from)
            for code in codes
        ],
    )
