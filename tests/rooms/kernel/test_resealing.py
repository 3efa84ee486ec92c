"""`civicmall keys …`: everything sealed anew with a new key, while citizens go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from tests.citizens import own_house
from typer.testing import CliRunner

from civicmall import identity
from civicmall.app import SEALED
from civicmall.cli.keys import app
from civicmall.identity import Verification
from civicmall.kernel import crypto, resealing
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from shopkit.sandbox import households

COMMAND: Final = Path(sys.executable).with_name("civicmall")
CITIZENS: Final = 40


@pytest.fixture(scope="module")
def settings(
    database_url: str, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """An installation with a key file of its own, which is a copy of the run's."""
    home = tmp_path_factory.mktemp("keys")
    shutil.copy(crypto.path_in(settings.data_dir), crypto.path_in(home))
    return msgspec.structs.replace(settings, data_dir=home)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(settings: Settings) -> Any:
    async with own_house(settings) as found:
        yield found


async def citizen(house: House, number: int) -> Any:
    """One with everything that is sealed of a citizen."""
    person = households()[number]
    found = await identity.account(house, person.phone)
    await identity.verify(house, found, Verification(person.name, person.id_number))
    await identity.declare(house, found, {"has_vehicle": True})
    return found


async def keys(settings: Settings, *args: str) -> tuple[int, str]:
    """`civicmall keys …`: exit status, and what it says."""
    env = environment(settings)
    done = await asyncio.to_thread(CliRunner().invoke, app, list(args), env=env)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stdout


def environment(settings: Settings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "DATABASE_URL": settings.database_url, "COLUMNS": "100",
        "CIVICMALL_DATA": str(settings.data_dir), "CIVICMALL_LOG_JSON": "0",
    }  # fmt: skip


async def old_rows(settings: Settings) -> dict[str, int]:
    """By table: rows that the current key hasn't sealed."""
    owner: Any = await asyncpg.connect(settings.database_url)
    try:
        tables = await resealing.tables(owner, SEALED)
        found = await resealing.waiting(owner, tables, crypto.load(settings.data_dir))
    finally:
        await owner.close()
    return {name: rows for name, rows in found.items() if rows}


async def test_rotation_while_citizens_go_on(settings: Settings, house: House) -> None:
    citizens = [await citizen(house, number) for number in range(CITIZENS)]
    before = [await identity.facts(house, one) for one in citizens]
    assert await old_rows(settings) == {}
    rotating = asyncio.create_task(keys(settings, "rotate"))
    rounds = 0
    while not rotating.done():  # this process still holds the old file when it begins
        one = citizens[rounds % CITIZENS]
        await identity.declare(house, one, {"housing": ("owner", "tenant")[rounds % 2]})
        assert (await identity.facts(house, one))["has_vehicle"] is True
        rounds += 1
    status, said = await rotating
    assert status == 0, said
    assert "identity.citizen" in said
    assert rounds > CITIZENS, "citizens went on meanwhile"
    house.keys.reload()
    assert await old_rows(settings) == {} or (await keys(settings, "reseal"))[0] == 0
    assert await old_rows(settings) == {}
    for one, facts in zip(citizens, before, strict=True):
        assert (await identity.facts(house, one)).items() >= facts.items()
    status, said = await keys(settings, "drop", "1")
    assert status == 0, said
    fresh = crypto.load(settings.data_dir)
    assert list(fresh.suites()) == ["2"]
    alone = msgspec.structs.replace(house, keys=fresh)
    for one, facts in zip(citizens, before, strict=True):
        assert (await identity.facts(alone, one)).items() >= facts.items()


async def test_over_to_the_national_ciphers(settings: Settings, house: House) -> None:
    one = await citizen(house, CITIZENS)
    status, said = await keys(settings, "rotate", "--suite", "gm")
    assert status == 0, said
    assert "SM4-GCM" in said
    fresh = crypto.load(settings.data_dir)
    assert set(fresh.suites().values()) == {"aes", "gm"}
    row = await identity.row(house.db, one)
    assert row.phone
    assert row.phone[:1] == fresh.current.encode()
    assert identity.profile(msgspec.structs.replace(house, keys=fresh), row).level == 2
    status, said = await keys(settings, "show")
    assert status == 0
    assert f"key {fresh.current}: SM4-GCM, seals" in said


async def test_cut_off_and_run_again(settings: Settings, house: House) -> None:
    for number in range(CITIZENS, CITIZENS * 3):
        await citizen(house, number)
    path = crypto.path_in(settings.data_dir)
    file, key_id = crypto.with_another(crypto.read(path), "aes")
    crypto.keep(path, msgspec.structs.replace(file, current=key_id))
    house.keys.reload()
    total = sum((await old_rows(settings)).values())
    assert total > CITIZENS
    running = await asyncio.create_subprocess_exec(
        COMMAND, "keys", "reseal", stdout=DEVNULL, stderr=DEVNULL, env=environment(settings)
    )
    while (left := sum((await old_rows(settings)).values())) == total:
        assert running.returncode is None
    running.kill()
    await running.wait()
    assert left < total
    status, said = await keys(settings, "drop", "2")
    assert status == 1 or not await old_rows(settings), said
    assert (await keys(settings, "reseal"))[0] == 0
    assert await old_rows(settings) == {}


async def test_a_value_that_no_key_opens_is_said_and_stops_nobody(
    settings: Settings, house: House
) -> None:
    one, other = await citizen(house, 200), await citizen(house, 201)
    owner: Any = await asyncpg.connect(settings.database_url)
    try:
        await owner.execute("update identity.citizen set name = '1rubbish' where id = $1", one)
        status, said = await keys(settings, "rotate")
        assert (status, "no key opens" in said) == (1, True), said
        assert await old_rows(settings) == {"identity.citizen": 1}
        house.keys.reload()
        kept = (await identity.row(house.db, other)).phone
        assert kept
        assert kept[:1] == house.keys.current.encode()
        status, said = await keys(settings, "drop", "2")
        assert (status, "sealed with old keys" in said) == (1, True), said
    finally:
        await owner.execute("update identity.citizen set name = $2 where id = $1", one,
                            house.keys.seal("王晓明", "identity.citizen.name"))  # fmt: skip
        await owner.close()


@pytest.mark.parametrize(
    "args", [["use", "~"], ["drop", "~"], ["rotate", "--at-once"], ["rotate", "--suite", "des"]],
    ids=" ".join,
)  # fmt: skip
async def test_what_makes_no_sense_changes_nothing(settings: Settings, args: list[str]) -> None:
    before = crypto.path_in(settings.data_dir).read_bytes()
    status, said = await keys(settings, *args)
    assert status == 2, said
    assert crypto.path_in(settings.data_dir).read_bytes() == before


async def test_step_by_step_where_the_file_is_copied_around(settings: Settings) -> None:
    status, said = await keys(settings, "add")
    key_id = said.split()[2]
    assert (status, crypto.load(settings.data_dir).current != key_id) == (0, True)
    assert (await keys(settings, "use", key_id))[0] == 0
    assert crypto.load(settings.data_dir).current == key_id
    status, said = await keys(settings, "drop", key_id)
    assert (status, "seals" in said) == (2, True)
