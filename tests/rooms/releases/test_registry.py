"""What the registry makes of the releases: who meets which version, and who is told of it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.rooms.releases.steps import URL, Shop, said
from tests.workshop import app, build, manifest, opened, unique

from civicmall import releases
from civicmall.kernel.house import House
from civicmall.shops import (
    NoSuchShop,
    Registry,
    ShopClosed,
    ShopEntry,
    ShopRetired,
    meets_canary,
)
from shopkit.manifest import Http

PEOPLE = [UUID(int=n * 7919 + 1) for n in range(2_000)]


@given(shop=st.text("abcdefghij_", min_size=1, max_size=40), citizen=st.uuids(), data=st.data())
def test_nobody_goes_back_as_the_percent_rises(shop: str, citizen: UUID, data: st.DataObject) -> None:  # fmt: skip
    low = data.draw(st.integers(0, 100))
    high = data.draw(st.integers(low, 100))
    assert meets_canary(shop, citizen, high) or not meets_canary(shop, citizen, low)
    assert meets_canary(shop, citizen, 100)
    assert not meets_canary(shop, citizen, 0)


def test_a_percent_is_about_a_percent_and_not_the_same_people_everywhere() -> None:
    here, there = ({p for p in PEOPLE if meets_canary(s, p, 20)} for s in ("parking", "library"))
    for some in (here, there):
        assert 0.16 < len(some) / len(PEOPLE) < 0.24
    assert len(here & there) / len(PEOPLE) < 0.08


async def test_the_canary_is_for_its_share_and_the_live_one_for_the_rest(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    assert {shop.registry.pick(shop.id, p).version for p in PEOPLE} == {"1.0.0"}
    await shop.move(shop.publisher, trial, "canary", percent=30)
    met = {p: shop.registry.pick(shop.id, p).version for p in PEOPLE}
    assert set(met.values()) == {"1.0.0", "1.1.0"}
    assert {p for p, v in met.items() if v == "1.1.0"} == {p for p in PEOPLE if meets_canary(shop.id, p, 30)}  # fmt: skip
    assert [d.version for d in shop.deployed()] == ["1.0.0", "1.1.0"]
    assert shop.registry.manifest(shop.id).version == "1.0.0", "for whom nobody in particular asks"
    await shop.move(shop.publisher, trial, "publish")
    assert {shop.registry.pick(shop.id, p).version for p in PEOPLE} == {"1.1.0"}


async def test_what_is_called_says_where_and_by_which_key(house: House) -> None:
    shop = Shop(house)
    await shop.live()
    (found,) = shop.deployed()
    assert found.manifest.runtime == Http(URL, "A" * 43)
    assert found.code is None
    assert found.key == (shop.id, found.digest)
    assert shop.registry.get(shop.id).state == "live"
    assert shop.registry.view(shop.id, "en").state == "live"


async def test_a_first_version_opens_step_by_step(house: House) -> None:
    shop = Shop(house)
    trial = await shop.approved()
    with pytest.raises(NoSuchShop):
        shop.registry.pick(shop.id, PEOPLE[0])
    await shop.move(shop.publisher, trial, "canary", percent=10)
    inside = next(p for p in PEOPLE if meets_canary(shop.id, p, 10))
    outside = next(p for p in PEOPLE if not meets_canary(shop.id, p, 10))
    assert shop.registry.pick(shop.id, inside).version == "1.0.0"
    with pytest.raises(ShopClosed) as refused:
        shop.registry.pick(shop.id, outside)
    assert refused.value.extra == {"shop": shop.id, "reason": "opening"}


async def test_a_suspended_shop_is_closed_to_all_and_opens_again(house: House) -> None:
    shop = Shop(house)
    made = await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    await shop.move(shop.publisher, trial, "canary", percent=100)
    await shop.move(shop.reader, made, "suspend")
    with pytest.raises(ShopClosed) as refused:
        shop.registry.pick(shop.id, PEOPLE[0])
    assert refused.value.extra["reason"] == "suspended"
    assert shop.deployed() == []
    assert shop.registry.view(shop.id, "en").state == "recovering"
    await shop.move(shop.publisher, made, "resume")
    assert shop.registry.pick(shop.id, PEOPLE[0]).version == "1.1.0"


async def test_a_retired_shop_is_gone_from_the_list_and_says_so_itself(house: House) -> None:
    shop = Shop(house)
    made = await shop.live()
    await shop.move(shop.reader, made, "retire")
    with pytest.raises(ShopRetired):
        shop.registry.pick(shop.id, PEOPLE[0])
    assert shop.id not in {view.id for view in shop.registry.views("en")}
    assert shop.registry.view(shop.id, "en").state == "closed"
    await shop.live("2.0.0")
    assert shop.registry.pick(shop.id, PEOPLE[0]).version == "2.0.0", "a new version opens it anew"


async def test_whoever_asked_is_told_once_and_another_process_learns_of_it(house: House) -> None:
    shop, elsewhere, told = Shop(house), Registry([]), list[list[str]]()

    async def failing() -> None:
        raise RuntimeError("a gate that doesn't open")

    async def note() -> None:
        told.append([d.version for d in shop.deployed()])

    shop.registry.on_change += [failing, note]
    made = await shop.approved()
    assert told[-1:] in ([], [[]]), "nothing that is called has changed"
    told.clear()
    await shop.move(shop.publisher, made, "publish")
    assert told == [["1.0.0"]]
    assert not await releases.refresh(house.db, shop.registry)
    assert told == [["1.0.0"]]
    assert await releases.refresh(house.db, elsewhere)
    assert elsewhere.pick(shop.id, PEOPLE[0]) == shop.registry.pick(shop.id, PEOPLE[0])


async def test_a_fault_of_the_canary_is_not_the_live_ones(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    await shop.move(shop.publisher, trial, "canary", percent=50)
    live, canary = shop.deployed()
    shop.registry.report(shop.id, "no answer", canary.digest)
    assert shop.registry.get(shop.id).state == "live"
    shop.registry.report(shop.id, "no answer", live.digest)
    assert (shop.registry.get(shop.id).state, shop.registry.get(shop.id).reason) == ("broken", "no answer")  # fmt: skip
    assert [d.key for d in shop.deployed()] == [live.key, canary.key]
    shop.registry.mend(shop.id, live.digest)
    assert shop.registry.get(shop.id).state == "live"


async def test_a_kept_manifest_that_cannot_be_read_any_more_costs_its_shop(
    house: House, settings: object, database_url: str
) -> None:
    del settings
    shop = Shop(house)
    made = await shop.live()
    await owned(database_url, "update releases.release set manifest = '{}' where id = $1", made)
    fresh = Registry([])
    await releases.refresh(house.db, fresh)
    assert fresh.get(shop.id).state == "broken"
    assert fresh.get(shop.id).manifest is None
    assert shop.id not in {d.shop for d in fresh.deployed()}
    assert (await releases.one(house.db, shop.reader, made)).changes == []


async def owned(url: str, statement: str, *args: object) -> None:
    """As the owner of the tables."""
    import asyncpg

    db = await asyncpg.connect(url)
    try:
        await db.execute(statement, *args)
    finally:
        await db.close()


class Folder:
    """A shop that lies in a folder, as city IT leaves it from version to version."""

    def __init__(self, house: House, path: object) -> None:
        self.shop = Shop(house)
        build(path, manifest(self.shop.id, [app("permits", "progress")]), CODE)  # pyright: ignore[reportArgumentType]
        (self.entry,) = opened(path).all()  # pyright: ignore[reportArgumentType]

    async def start(self, version: str = "1.0.0") -> Registry:
        """The city starts with this version in the folder."""
        assert self.entry.manifest is not None
        found = replace(self.entry, manifest=replace(self.entry.manifest, version=version))
        registry = self.shop.registry = Registry([found])
        await releases.record(self.shop.house, registry)
        await releases.refresh(self.shop.house.db, registry)
        return registry

    def met(self) -> str:
        """The version that citizens meet."""
        return self.shop.registry.pick(self.shop.id, PEOPLE[0]).version


CODE = """
from shopkit import *

shop = Shop(__package__)


@shop.progress("permits")
async def permits(call: Call, query: ProgressQuery) -> list[Progress]:
    return []
"""


@pytest.fixture
def folder(house: House, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(house, tmp_path_factory.mktemp("plugins"))


async def test_a_folder_is_live_when_it_is_found_and_recorded(folder: Folder) -> None:
    await folder.start("1.0.0")
    await folder.start("1.0.0")
    await folder.start("1.1.0")
    assert folder.met() == "1.1.0"
    assert await folder.shop.states() == {"1.0.0": "withdrawn", "1.1.0": "live"}
    await folder.start("1.0.0")
    assert await folder.shop.states() == {"1.0.0": "live", "1.1.0": "withdrawn"}
    (page,) = (await releases.some(folder.shop.house.db, folder.shop.author, states=["live"], limit=5)).items  # fmt: skip
    assert (page.kind, page.submitted_by) == ("folder", "CivicMall")
    assert await folder.shop.history(page.id) == [
        ("CivicMall", "deploy", "live"), ("CivicMall", "drop", "withdrawn"),
        ("CivicMall", "deploy", "live"),
    ]  # fmt: skip


async def test_a_suspended_folder_stays_so_whatever_is_put_there(folder: Folder) -> None:
    await folder.start("1.0.0")
    shop = folder.shop
    (made,) = (await releases.some(shop.house.db, shop.reader, shop=shop.id, limit=5)).items
    await shop.move(shop.reader, made.id, "suspend")
    await folder.start("1.1.0")
    with pytest.raises(ShopClosed):
        folder.met()
    assert await shop.states() == {"1.0.0": "suspended"}
    await shop.move(shop.publisher, made.id, "resume")
    await folder.start("1.1.0")
    assert folder.met() == "1.1.0"
    (live,) = (await releases.some(shop.house.db, shop.reader, shop=shop.id, states=["live"], limit=5)).items  # fmt: skip
    await shop.move(shop.reader, live.id, "retire")
    await folder.start("1.2.0")
    with pytest.raises(ShopRetired):
        folder.met()


async def test_a_shop_moves_out_of_the_process_and_back_in(folder: Folder) -> None:
    """The same shop gets an address; if that was a bad idea, one step brings the folder back."""
    await folder.start("1.0.0")
    shop = folder.shop
    assert shop.registry.pick(shop.id, PEOPLE[0]).code is not None
    moved = await shop.live("1.1.0")
    assert (folder.met(), shop.registry.pick(shop.id, PEOPLE[0]).code) == ("1.1.0", None)
    await folder.start("1.0.0")
    assert folder.met() == "1.1.0", "what lies in the folder was replaced on purpose"
    await shop.move(shop.reader, moved, "rollback", "超时")
    assert shop.registry.pick(shop.id, PEOPLE[0]).code is not None
    assert await shop.states() == {"1.0.0": "live", "1.1.0": "withdrawn"}


async def test_a_newer_folder_replaces_an_older_address(folder: Folder) -> None:
    await folder.start("1.0.0")
    await folder.shop.live("1.1.0")
    await folder.start("2.0.0")
    assert folder.met() == "2.0.0"
    assert await folder.shop.states() == {"1.0.0": "withdrawn", "1.1.0": "replaced", "2.0.0": "live"}  # fmt: skip


async def test_a_broken_folder_is_not_recorded(house: House) -> None:
    shop = Shop(house)
    broken = ShopEntry(shop.id, "broken", None, reason="$: no JSON")
    await releases.record(house, Registry([broken]))
    assert await shop.states() == {}


def test_without_a_word_from_the_releases_folders_are_live() -> None:
    nobody = Registry([])
    assert nobody.deployed() == []
    with pytest.raises(NoSuchShop):
        nobody.pick(unique("shop"), uuid4())
    assert said("x")["runtime"]
