"""Content into the database: idempotent, and nothing that was in force is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from civicmall.catalogue import BadContent, load, service, snapshot
from civicmall.catalogue.content import Content, Written
from civicmall.kernel.house import House

CODE = "birth_registration"


def changed(**changes: Any) -> Content:
    """The content with one item changed."""
    content = service.content()
    items = [
        Written(w.file, msgspec.structs.replace(w.item, **changes)) if w.item.code == CODE else w
        for w in content.items
    ]
    return msgspec.structs.replace(content, items=items)


def without() -> Content:
    """The content without that item."""
    content = service.content()
    items = [w for w in content.items if w.item.code != CODE]
    return msgspec.structs.replace(content, items=items)


async def test_the_same_content_again_changes_nothing(house: House) -> None:
    assert await load(house.db) == 0
    before = await house.db.fetch("select code, valid_from from catalogue.item order by code")
    assert await load(house.db) == 0
    assert (
        await house.db.fetch("select code, valid_from from catalogue.item order by code") == before
    )


async def test_a_change_keeps_the_version_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = (await snapshot(house.db)).entry(CODE)
    other = changed(words=["new word"])
    monkeypatch.setattr(service, "content", lambda: other)
    assert await load(house.db) == 1
    now = (await snapshot(house.db)).entry(CODE)
    assert now.item.words == ["new word"]
    assert now.valid_from > was.valid_from
    past = await house.db.fetch("select * from catalogue.item_past where code = $1", CODE)
    assert [(row["valid_from"], row["valid_to"]) for row in past] == [
        (was.valid_from, now.valid_from)
    ]
    assert past[0]["body"]["words"] == was.item.words

    monkeypatch.undo()
    assert await load(house.db) == 1
    assert (await snapshot(house.db)).entry(CODE).item == was.item


async def test_an_item_that_goes_is_kept_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = without()
    monkeypatch.setattr(service, "content", lambda: fewer)
    count = "select count(*) from catalogue.item_past where code = $1"
    before = await house.db.fetchval(count, CODE)
    assert await load(house.db) == 0
    assert CODE not in {e.item.code for e in (await snapshot(house.db)).entries}
    assert await house.db.fetchval(count, CODE) == before + 1
    monkeypatch.undo()
    assert await load(house.db) == 1


async def test_two_processes_that_start_at_once(house: House) -> None:
    await house.db.execute("delete from catalogue.item")
    done = await asyncio.gather(*(load(house.db) for _ in range(4)))
    total = len(service.content().items)
    assert sum(done) >= total
    assert await house.db.fetchval("select count(*) from catalogue.item") == total


async def test_a_snapshot_is_what_the_content_says(house: House) -> None:
    await load(house.db)
    catalogue = await snapshot(house.db)
    assert [e.item for e in catalogue.entries] == [w.item for w in service.content().items]


async def test_a_row_that_does_not_fit_is_named(house: House) -> None:
    await house.db.execute(
        'update catalogue.item set body = body || \'{"department": "magic"}\' where code = $1', CODE
    )
    with pytest.raises(BadContent, match=f"catalogue.item: {CODE}: department"):
        await snapshot(house.db)
