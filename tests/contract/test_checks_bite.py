"""Each check of the kit finds the fault that it is there for, and no other check finds it too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from tests.contract import faults_inside, faults_wire
from tests.contract.between import remote
from tests.contract.sound import fresh

from civicmall.gateway import role, schema
from civicmall.kernel import migrate
from civicmall.kernel.db import Pool, open_pool
from civicmall.kernel.house import House
from shopkit.keys import Key
from shopkit.kit import CHECKS, Finding, InProcess, run
from shopkit.manifest import Http
from shopkit.testing import TestShop

KEY = Key(b"s" * 32)
INSIDE = {name for name, check in CHECKS.items() if check.needs != "wire"}
WIRE = {name for name, check in CHECKS.items() if check.needs == "wire"}


@pytest.fixture(scope="module")
async def db(house: House) -> AsyncIterator[Pool]:
    """The sound shop's own schema."""
    shop = fresh()
    assert shop.migrations is not None
    room = migrate.Room(schema("sound_shop"), shop.migrations, role("sound_shop"))
    await migrate.apply(house.settings.database_url, [room])
    pool = await open_pool(
        house.settings.database_url, role=room.role, search_path=room.schema, size_max=2
    )
    yield pool
    await pool.close()


def failed(findings: list[Finding]) -> dict[str, str]:
    """The checks that found something, and what they saw."""
    return {one.check: one.seen for one in findings if one.result == "failed"}


def expected(check: str, also: dict[str, dict[str, str]]) -> set[str]:
    return {check, *also.get(check, {})}


def test_there_are_many_checks() -> None:
    assert len(CHECKS) >= 50


def test_each_check_has_its_fault() -> None:
    assert faults_inside.FAULTS.keys() == INSIDE
    assert faults_wire.FAULTS.keys() == WIRE


@pytest.mark.parametrize("also", [faults_inside.ALSO, faults_wire.ALSO], ids=["inside", "wire"])
def test_what_a_fault_trips_besides_has_its_reason(also: dict[str, dict[str, str]]) -> None:
    for check, others in also.items():
        assert check in CHECKS
        for other, reason in others.items():
            assert other in CHECKS
            assert reason.endswith(".")


async def test_the_sound_shop_passes_in_process(db: Pool) -> None:
    found = await run(InProcess(TestShop(fresh(), db)))
    assert failed(found) == {}
    assert {one.check for one in found if one.result == "passed"} == INSIDE


async def test_the_sound_shop_passes_over_http() -> None:
    async with remote(fresh()) as target:
        found = await run(target)
    assert failed(found) == {}
    inside_only = {name for name, check in CHECKS.items() if check.needs == "inside"}
    assert {one.check for one in found if one.result == "passed"} == CHECKS.keys() - inside_only


async def test_a_sound_shop_that_shares_a_secret_passes_too() -> None:
    shop = fresh()
    runtime = Http("http://shop.invalid", KEY.text, signature="hmac-sha256")
    shop.manifest = msgspec.structs.replace(shop.manifest, runtime=runtime)
    async with remote(shop) as target:
        assert target.pen.shared is not None
        found = await run(target)
    assert failed(found) == {}
    inside_only = {name for name, check in CHECKS.items() if check.needs == "inside"}
    assert {one.check for one in found if one.result == "passed"} == CHECKS.keys() - inside_only


@pytest.mark.parametrize("check", faults_inside.FAULTS)
async def test_finds_the_fault(db: Any, check: str) -> None:
    shop = fresh()
    faults_inside.FAULTS[check](shop)
    t = TestShop(shop, db)
    if check == "no-personal-numbers-in-clear":
        await t.seed()
    try:
        found = failed(await run(InProcess(t)))
    finally:
        await db.execute("delete from visitor")
    assert found.keys() == expected(check, faults_inside.ALSO), found


@pytest.mark.parametrize("check", faults_wire.FAULTS)
async def test_finds_the_fault_of_the_wire(check: str) -> None:
    async with remote(fresh(), faults_wire.FAULTS[check]) as target:
        found = failed(await run(target, apps=faults_wire.APPS))
    assert found.keys() == expected(check, faults_wire.ALSO), found
