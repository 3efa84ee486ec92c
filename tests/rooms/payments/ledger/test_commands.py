"""`civicmall ledger close | verify | export | roots`, as city IT types them."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from tests.rooms.payments.ledger.books import Owner, at, close_in_time, day, now
from typer.testing import CliRunner

from civicmall.cli.ledger import app
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.payments import ledger

COMMAND: Final = Path(sys.executable).with_name("civicmall")


Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    """The test's installation."""
    return {
        "DATABASE_URL": settings.database_url,
        "CIVICMALL_DATA": str(settings.data_dir),
        "CIVICMALL_LOG_JSON": "0",
        "COLUMNS": "80",
    }


@pytest.fixture
def run(env: dict[str, str]) -> Run:
    """`civicmall ledger …` in this process: exit status, what it says, what it says aside."""

    async def civicmall(*args: str) -> tuple[int, str, str]:
        done = await asyncio.to_thread(CliRunner().invoke, app, list(args), env=env)
        return done.exit_code, done.stdout, done.stderr

    return civicmall


async def test_close_verify_export(house: House, owner: Owner, run: Run, tmp_path: Path) -> None:
    made = await owner.some(3)
    await close_in_time(house, 1)
    status, said, _ = await run("close", "--day", str(day(1)))
    roots = {one.day_on: one.root.hex() for one in await ledger.days(house.db)}
    assert (status, said) == (0, f"closed {day(1)}: {roots[day(1)]}\n")
    status, said, aside = await run("roots")
    assert (status, said.split(), aside) == (0, [f"{on}={root}" for on, root in roots.items()], "")
    args = ["verify", "--to", str(day(1)), "--published", f"{day(1)}={roots[day(1)]}"]
    status, said, _ = await run(*args)
    assert (status, "2 days, 8 postings: as they were" in said) == (0, True), said
    assert f"root of {day(1)}: {roots[day(1)]}" in said
    assert ledger.Seal(house.keys).public in said
    await owner.db.execute("update payments.posting set kind = 'refund' where id = $1", made[4])
    status, said, _ = await run(*args)
    assert status == 1
    assert f"changed: {day(1)}, bucket 3, posting {made[4]}: it says something else" in said

    file = tmp_path / "day.csv"
    status, said, aside = await run("export", "--day", str(day(0)), "--out", str(file))
    assert (status, said, aside) == (0, "", "")
    assert file.read_text().count("\n") == 9
    status, said, aside = await run("export", "--day", str(day(2)))
    assert (status, said.count("\n"), "is not closed" in aside) == (0, 9, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["verify", "--published", "2026-03-30=abc"], "is not DAY=ROOT"),
        (["verify", "--published", f"2026-02-30={'0' * 64}"], "2026-02-30 is no day"),
        (["verify", "--from", "yesterday"], "yesterday"),
        (["export", "--day", "2026-03-30", "--out", "/nowhere/day.csv"], "/nowhere/day.csv"),
    ],
)
async def test_what_it_does_not_take(run: Run, args: list[str], words: str) -> None:
    status, said, aside = await run(*args)
    assert (status, words in said + aside) == (2, True), said + aside


async def test_a_day_that_is_not_over(house: House, owner: Owner, run: Run) -> None:
    await owner.put(now())
    assert await run("close") == (0, "nothing to close\n", "")
    status, said, _ = await run("close", "--day", "2126-01-01")
    assert (status, "2126-01-01 can't be closed" in said) == (1, True)


async def test_as_it_is_typed(house: House, owner: Owner, env: dict[str, str]) -> None:
    await owner.some(1)
    ran = await asyncio.create_subprocess_exec(
        COMMAND, "ledger", "close", "--day", str(day(0)), stdout=PIPE, env=os.environ | env
    )
    said, _ = await ran.communicate()
    assert (ran.returncode, said.decode()[:18]) == (0, f"closed {day(0)}:")


async def test_a_torn_ledger(house: House, owner: Owner, run: Run) -> None:
    await owner.some(2)
    await owner.put(at(2))
    await close_in_time(house, 1)
    await owner.db.execute("delete from payments.ledger_bucket where bucket = 9")
    status, said, _ = await run("close")
    assert (status, f"the ledger of {day(0)} lacks buckets" in said) == (1, True)
