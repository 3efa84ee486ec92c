"""A release's life: each step by the right person, once, and written down."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest
from tests.rooms.releases.steps import Shop, department, operator, passed, said
from tests.workshop import unique

from civicmall import releases
from civicmall.identity import NotAllowed
from civicmall.kernel import ids
from civicmall.kernel.db import APP_ROLE
from civicmall.kernel.errors import BadRequest, KeyReused, Problem
from civicmall.kernel.house import House
from civicmall.releases import (
    AccountTaken,
    BadShopManifest,
    CanaryRunning,
    Checked,
    FourEyes,
    NoSuchRelease,
    NothingBefore,
    NotYourShop,
    ReleaseMoved,
    ReportFailed,
    Submission,
    VersionNotHigher,
    service,
)
from civicmall.shops import Registry, ShopEntry
from shopkit.manifest import parse_manifest


async def test_from_the_department_to_all_citizens(house: House) -> None:
    shop = Shop(house)
    made = await shop.submit()
    assert (made.state, made.kind, made.submitted_by, made.may) == ("submitted", "submitted", "许岚", [])  # fmt: skip
    seen = await shop.move(shop.reader, made.id, "approve", "读过")
    assert (seen.release.state, seen.release.may) == ("approved", ["reject"]), (
        "not two steps by one"
    )
    seen = await shop.move(shop.publisher, made.id, "canary", "", percent=5)
    assert (seen.release.state, seen.release.percent) == ("canary", 5)
    seen = await shop.move(shop.publisher, made.id, "canary", "", percent=50)
    assert seen.release.percent == 50
    seen = await shop.move(shop.publisher, made.id, "publish", "上线")
    assert seen.release.state == "live"
    assert [(s.name, s.move, s.was, s.now, s.percent, s.note) for s in seen.steps] == [
        ("许岚", "submit", "draft", "submitted", 0, ""),
        ("周敏", "approve", "submitted", "approved", 0, "读过"),
        ("沈澄", "canary", "approved", "canary", 5, ""),
        ("沈澄", "canary", "canary", "canary", 50, ""),
        ("沈澄", "publish", "canary", "live", 0, "上线"),
    ]
    assert [s.at for s in seen.steps] == sorted(s.at for s in seen.steps)


async def test_whoever_approved_puts_it_before_nobody(house: House) -> None:
    shop = Shop(house)
    made = await shop.approved()
    for step, more in (("publish", {}), ("canary", {"percent": 1})):
        with pytest.raises(FourEyes):
            await shop.move(shop.reader, made, step, **more)  # pyright: ignore[reportArgumentType]
    assert await shop.states() == {"1.0.0": "approved"}
    await shop.move(shop.publisher, made, "canary", percent=1)
    with pytest.raises(FourEyes):
        await shop.move(shop.reader, made, "publish")


async def test_fifty_publish_at_once_and_one_does(house: House) -> None:
    shop = Shop(house)
    first = await shop.live("1.0.0")
    made = await shop.approved("1.1.0")
    tried = await asyncio.gather(
        *(shop.move(operator(), made, "publish") for _ in range(50)), return_exceptions=True
    )
    refused = [one for one in tried if isinstance(one, BaseException)]
    assert len(refused) == 49
    assert {type(one) for one in refused} == {ReleaseMoved}
    assert all(isinstance(p, Problem) and p.extra == {"state": "live"} for p in refused)
    assert [move for _, move, _ in await shop.history(made)].count("publish") == 1
    assert [move for _, move, _ in await shop.history(first)].count("replace") == 1
    assert await shop.states() == {"1.0.0": "replaced", "1.1.0": "live"}


async def test_of_two_versions_published_at_once_one_is_live(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    two, three = await shop.approved("2.0.0"), await shop.approved("3.0.0")
    tried = await asyncio.gather(
        *(shop.move(operator(), one, "publish") for one in (two, three) * 10),
        return_exceptions=True,
    )
    assert all(isinstance(one, ReleaseMoved) for one in tried if isinstance(one, BaseException))
    states = await shop.states()
    assert sorted(states.values()).count("live") == 1
    assert states["1.0.0"] == "replaced"


async def test_a_rollback_brings_back_the_one_before_in_one_step(house: House) -> None:
    shop = Shop(house)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        last = await shop.live(version)
    await shop.move(shop.reader, last, "rollback", "退费金额错误")
    assert await shop.states() == {"1.0.0": "replaced", "1.1.0": "live", "1.2.0": "withdrawn"}
    assert (await shop.history(last))[-1] == ("周敏", "rollback", "withdrawn")
    middle = (await releases.some(house.db, shop.reader, shop=shop.id, states=["live"], limit=1)).items[0]  # fmt: skip
    assert (await shop.history(middle.id))[-1] == ("周敏", "restore", "live")
    await shop.move(shop.reader, middle.id, "rollback")
    assert (await shop.states())["1.0.0"] == "live"
    oldest = (await releases.some(house.db, shop.reader, shop=shop.id, states=["live"], limit=1)).items[0]  # fmt: skip
    with pytest.raises(NothingBefore):
        await shop.move(shop.reader, oldest.id, "rollback")


async def test_many_roll_back_at_once_and_go_back_one_version(house: House) -> None:
    shop = Shop(house)
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        last = await shop.live(version)
    tried = await asyncio.gather(
        *(shop.move(operator(), last, "rollback") for _ in range(20)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in tried) == 1
    assert await shop.states() == {"1.0.0": "replaced", "1.1.0": "live", "1.2.0": "withdrawn"}


async def test_one_version_is_on_trial_at_a_time_and_publishing_another_ends_it(
    house: House,
) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    await shop.move(shop.publisher, trial, "canary", percent=10)
    other = await shop.approved("1.2.0")
    with pytest.raises(CanaryRunning):
        await shop.move(shop.publisher, other, "canary", percent=10)
    await shop.move(shop.publisher, other, "publish")
    assert await shop.states() == {"1.0.0": "replaced", "1.1.0": "withdrawn", "1.2.0": "live"}


async def test_a_canary_goes_and_the_live_one_stays(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    await shop.move(shop.publisher, trial, "canary", percent=10)
    await shop.move(shop.reader, trial, "rollback")
    assert await shop.states() == {"1.0.0": "live", "1.1.0": "withdrawn"}


async def test_a_version_that_was_suspended_never_comes_back_by_itself(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    bad = await shop.live("1.1.0")
    await shop.move(shop.reader, bad, "suspend", "泄露")
    good = await shop.live("1.2.0")
    assert await shop.states() == {"1.0.0": "replaced", "1.1.0": "withdrawn", "1.2.0": "live"}
    await shop.move(shop.reader, good, "rollback")
    assert (await shop.states())["1.0.0"] == "live"


async def test_retired_is_the_end_for_what_is_on_trial_too(house: House) -> None:
    shop = Shop(house)
    made = await shop.live("1.0.0")
    trial = await shop.approved("1.1.0")
    await shop.move(shop.publisher, trial, "canary", percent=10)
    await shop.move(shop.reader, made, "suspend")
    await shop.move(shop.reader, made, "retire", "并入其他店铺")
    assert await shop.states() == {"1.0.0": "retired", "1.1.0": "withdrawn"}
    for step in ("resume", "publish", "rollback"):
        with pytest.raises(ReleaseMoved):
            await shop.move(shop.publisher, made, step)


@pytest.mark.parametrize("step", sorted(releases.REASONED))
async def test_a_step_that_will_be_asked_about_has_its_reason(
    house: House, step: releases.Move
) -> None:
    shop = Shop(house)
    made = await shop.submit()
    with pytest.raises(BadRequest) as refused:
        await shop.move(shop.reader, made.id, step, " ")
    assert refused.value.extra == {"errors": [{"field": "note", "problem": "required"}]}


async def test_a_department_sees_and_submits_only_its_own(house: House) -> None:
    shop, other = Shop(house), Shop(house)
    made = await shop.submit()
    with pytest.raises(NoSuchRelease):
        await releases.one(house.db, other.author, made.id)
    with pytest.raises(NotAllowed):
        await shop.move(shop.author, made.id, "approve")
    with pytest.raises(NoSuchRelease):
        await shop.move(shop.reader, ids.new(0), "approve")
    assert (await releases.some(house.db, other.author, shop=shop.id, limit=5)).items == []
    assert [r.id for r in (await releases.some(house.db, shop.author, limit=5)).items] == [made.id]
    foreign = Submission(said(shop.id, "2.0.0"), passed("permits"))
    with pytest.raises(NotYourShop):
        await releases.submit(house, shop.registry, other.author, foreign, "foreign")
    with pytest.raises(NotAllowed):
        await releases.submit(house, shop.registry, shop.reader, foreign, "operator")


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9", "1.0.0-rc.1"])
async def test_a_version_must_rise(house: House, version: str) -> None:
    shop = Shop(house)
    made = await shop.submit("1.0.0")
    await shop.move(shop.reader, made.id, "reject", "目的不明")
    with pytest.raises(VersionNotHigher) as refused:
        await shop.submit(version, icon="other")
    assert refused.value.extra == {"version": version, "highest": "1.0.0"}
    assert (await shop.submit("1.0.1")).state == "submitted"


async def test_the_same_version_from_many_at_once_is_one(house: House) -> None:
    shop = Shop(house)
    tried = await asyncio.gather(*(shop.submit("1.0.0") for _ in range(12)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in tried) == 1
    assert {type(one) for one in tried if isinstance(one, BaseException)} == {VersionNotHigher}


async def test_the_same_request_again_is_the_same_release(house: House) -> None:
    shop = Shop(house)
    ask = Submission(said(shop.id), passed("permits"))
    first = await releases.submit(house, shop.registry, shop.author, ask, "k1")
    assert await releases.submit(house, shop.registry, shop.author, ask, "k1") == first
    changed = Submission(said(shop.id, "1.0.1"), passed("permits"))
    with pytest.raises(KeyReused):
        await releases.submit(house, shop.registry, shop.author, changed, "k1")


async def test_a_wrong_manifest_is_told_by_its_key(house: House) -> None:
    shop = Shop(house)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"contract": 99}, "$.contract"),
        ({"surprise": 1}, "$"),
        ({"runtime": "python"}, "$.runtime"),
        ({"version": "1.0.0-" + "a" * 80}, "$.version"),
        ({"runtime": {"url": "ftp://x.example", "key": "A" * 43}}, "$.runtime.url"),
    )
    for change, key in cases:
        with pytest.raises(BadShopManifest) as refused:
            await shop.submit(**change)
        assert refused.value.extra == {"key": key}
        assert refused.value.detail


async def test_without_a_report_that_passes_nothing_is_taken(house: House) -> None:
    shop = Shop(house)
    for report, failed in (
        ([*passed("permits"), Checked("clock", "failed")], ["clock"]),
        (passed(), ["no check passed: permits"]),
    ):
        with pytest.raises(ReportFailed) as refused:
            await releases.submit(
                house, shop.registry, shop.author, Submission(said(shop.id), report), f"{uuid4()}"
            )
        assert refused.value.extra == {"failed": failed}
    assert await shop.states() == {}


async def test_the_diff_is_against_what_citizens_have(house: House) -> None:
    shop = Shop(house)
    first = await shop.live("1.0.0")
    made = await shop.submit("1.1.0", settlement_account="elsewhere.account", egress=["x.example"])
    found = await releases.one(house.db, shop.reader, made.id)
    assert found.against == "1.0.0"
    assert [(c.kind, c.weight) for c in found.changes] == [
        ("account_changed", "grave"), ("egress_added", "grave"),
    ]  # fmt: skip
    own = await releases.one(house.db, shop.reader, first)
    assert own.against is None, "a first release is compared with nothing, also later"
    assert own.changes[0].kind == "claim_added"
    assert own.report[0].check == "discovery"


async def test_what_was_rolled_back_stands_out_when_it_is_asked_for_again(house: House) -> None:
    shop = Shop(house)
    await shop.live("1.0.0")
    greedy = await shop.live("2.0.0", egress=["x.example"])
    await shop.move(shop.reader, greedy, "rollback")
    again = await shop.approved("3.0.0", egress=["x.example"])
    found = await releases.one(house.db, shop.reader, again)
    assert found.against == "1.0.0", "what citizens have is what the rollback restored"
    assert [(c.kind, c.weight) for c in found.changes] == [("egress_added", "grave")]
    await shop.move(shop.publisher, again, "publish")
    later = await releases.one(house.db, shop.reader, again)
    assert (later.against, later.changes) == ("1.0.0", found.changes), "also when looked up later"


async def test_lists_go_on_where_the_page_before_ended(house: House) -> None:
    shop = Shop(house)
    for n in range(5):
        await shop.submit(f"1.{n}.0")
    found: list[str] = []
    after: str | None = None
    while True:
        page = await releases.some(house.db, shop.author, limit=2, after=after)
        found += [one.version for one in page.items]
        after = page.next
        if after is None:
            break
    assert found == [f"1.{n}.0" for n in (4, 3, 2, 1, 0)]
    none = await releases.some(house.db, shop.author, states=["live"], limit=2)
    assert none.items == []


@pytest.mark.parametrize(
    "statement",
    [
        "update releases.step set name = 'nobody'",
        "delete from releases.step",
        "truncate releases.step",
        "delete from releases.release",
    ],
)
async def test_the_history_is_only_ever_added_to(house: House, statement: str) -> None:
    await Shop(house).submit()
    async with house.db.acquire() as db:
        assert await db.fetchval("select current_user") == APP_ROLE
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(statement)


async def test_no_step_that_the_table_does_not_know(house: House) -> None:
    shop = Shop(house)
    made: UUID = (await shop.submit()).id
    with pytest.raises(asyncpg.CheckViolationError):
        await house.db.execute(
            "insert into releases.step (release_id, shop, at, name, move, was, now, percent, note)"
            " values ($1, $2, now(), 'x', 'publish', 'submitted', 'live', 0, '')",
            *(made, shop.id),
        )


async def test_a_stranger_of_the_same_department_sees_it(house: House) -> None:
    shop = Shop(house)
    made = await shop.submit()
    colleague = department(shop.id)
    assert (await releases.one(house.db, colleague, made.id)).release.shop == shop.id


async def test_a_settlement_account_is_one_shop_s(house: House) -> None:
    """Who shares another's account reads its statements; also a first release is refused."""
    owner, other = Shop(house), Shop(house)
    account = f"{owner.id}.account"
    made = await owner.submit("1.0.0")

    async def refused(shop: Shop) -> None:
        with pytest.raises(AccountTaken) as problem:
            await shop.submit("1.0.0", settlement_account=account)
        assert problem.value.extra == {"account": account}
        assert await shop.states() == {}

    await refused(other)
    await owner.move(owner.reader, made.id, "approve")
    await owner.move(owner.publisher, made.id, "publish")
    await refused(other)
    await owner.move(owner.reader, made.id, "suspend")
    await refused(other)
    await owner.submit("1.1.0")  # its own it has
    later = Shop(house)
    gone = await later.submit("1.0.0")
    await later.move(later.reader, gone.id, "reject")
    assert (await other.submit("1.0.0", settlement_account=f"{later.id}.account")).id


async def test_the_account_of_a_shop_in_a_folder_is_taken_too(house: House) -> None:
    folder = unique("shop")
    manifest = parse_manifest(msgspec.json.encode(said(folder)))
    registry = Registry([ShopEntry(folder, "live", manifest, None)])
    shop = Shop(house, registry)
    with pytest.raises(AccountTaken):
        await shop.submit("1.0.0", settlement_account=f"{folder}.account")
    assert await shop.states() == {}
    await shop.submit("1.0.0")


async def test_of_two_shops_that_name_one_account_at_once_one_gets_it(house: House) -> None:
    """Whoever waits for the other looks anew."""
    shops = [Shop(house) for _ in range(2)]
    account = f"{shops[0].id}.account"
    async with house.db.acquire() as db, db.transaction():
        await db.execute("select pg_advisory_xact_lock($1)", service.SUBMITTING)
        tasks = [
            asyncio.create_task(one.submit("1.0.0", settlement_account=account)) for one in shops
        ]
        waiting = 0
        while waiting < len(tasks):
            assert not any(task.done() for task in tasks), "they wait for their turn"
            waiting = await db.fetchval(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted and"
                " database = (select oid from pg_database where datname = current_database())"
            )
    tried = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [one for one in tried if isinstance(one, BaseException)]
    assert [type(one) for one in failed] == [AccountTaken]
