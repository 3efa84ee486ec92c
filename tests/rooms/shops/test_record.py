"""Every manifest that ever ran is kept; the same one again changes nothing."""

from __future__ import annotations

from typing import Any

from tests.rooms.shops.conftest import Plugins

from civicmall.kernel.house import House
from civicmall.shops import Registry, discover, load, record, versions


def loaded(plugins: Plugins) -> Registry:
    return load(found for found in discover(plugins.path) if found.key in {"kept", "lost"})


async def rows(house: House) -> list[Any]:
    query = (
        "select version, digest, manifest from shops.version where shop = $1 order by first_seen"
    )
    return await house.db.fetch(query, "kept")


async def test_each_version_once(house: House, plugins: Plugins) -> None:
    home = plugins.add("kept")
    (plugins.add("lost") / "shop.json").write_text("{")
    await record(house.db, loaded(plugins))
    await record(house.db, loaded(plugins))
    (first,) = await rows(house)
    assert first["version"] == "1.0.0"
    assert first["manifest"]["name"] == {"zh-CN": "kept店", "en": "Kept"}

    path = home / "shop.json"
    path.write_text(path.read_text().replace('"1.0.0"', '"1.0.1"'))
    await record(house.db, loaded(plugins))
    path.write_text(path.read_text().replace("办事", "办大事"))
    await record(house.db, loaded(plugins))
    found = await rows(house)
    assert [row["version"] for row in found] == ["1.0.0", "1.0.1", "1.0.1"]
    assert len({row["digest"] for row in found}) == 3
    assert [told.version for told in await versions(house.db, "kept")] == ["1.0.1", "1.0.0"]
    assert await versions(house.db, "lost") == []
