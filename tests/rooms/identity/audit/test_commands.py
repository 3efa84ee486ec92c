"""`civicmall audit verify | close | roots | export`, as city IT and auditors type them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.rooms.identity.audit.lines import Owner, ago, day_ago
from typer.testing import CliRunner

from civicmall.cli.audit import app
from civicmall.identity import audit
from civicmall.kernel import ids
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

Run = Callable[..., Awaitable[tuple[int, str]]]
WHO = ids.new(3)


@pytest.fixture
def run(settings: Settings) -> Run:
    """`civicmall audit …` in this process: exit status, and what it says."""
    env = {
        "DATABASE_URL": settings.database_url,
        "CIVICMALL_DATA": str(settings.data_dir),
        "CIVICMALL_LOG_JSON": "0",
        "COLUMNS": "80",
    }

    async def civicmall(*args: str) -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, app, list(args), env=env)
        return done.exit_code, done.stdout

    return civicmall


async def test_close_verify_publish_export(
    house: House, owner: Owner, run: Run, tmp_path: Path
) -> None:
    await owner.empty()
    lines = await owner.past(WHO, [ago(2), ago(2) + timedelta(minutes=1), ago(1)])
    status, said = await run("close", "--day", str(day_ago(2)))
    (day,) = await audit.days(house)
    assert (status, said) == (0, f"closed {day_ago(2)}: {day.root.hex()}\n")
    assert (await run("close"))[0] == 0
    assert await run("close") == (0, "nothing to close\n")
    days = await audit.days(house)
    status, said = await run("roots")
    assert (status, said.split()) == (0, [f"{d.day_on}={d.root.hex()}" for d in days])
    status, said = await run("verify", "--published", f"{day_ago(2)}={day.root.hex()}")
    assert (status, "2 days, 3 lines: as they were" in said) == (0, True), said

    file = tmp_path / "lines.jsonl"
    status, said = await run("export", "--from", str(day_ago(2)), "--out", str(file))
    assert (status, said) == (0, "")
    exported = [hashlib.sha256(line).digest() for line in file.read_bytes().splitlines()]
    assert exported == [line.hash for line in lines[:2]]
    status, said = await run("export", "--from", str(day_ago(2)), "--to", str(day_ago(1)))
    assert (status, len(said.splitlines())) == (0, 3)

    await owner.do("update identity.audit set reader = 'x' where citizen_id = $1 and seq = 2", WHO)
    status, said = await run("verify")
    assert status == 1
    assert f"changed: {day_ago(2)}, citizen {WHO}, line 2: " in said
    await owner.empty()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["verify", "--published", "x"], "is not DAY=ROOT"),
        (["verify", "--published", f"2026-02-30={'0' * 64}"], "is no day"),
        (["export", "--from", "2026-11-30", "--to", "2026-11-29"], "--to is before --from"),
        (["export", "--from", "2026-11-30", "--out", "/nowhere/x"], "/nowhere/x"),
    ],
)
async def test_what_cant_be_meant_is_said(run: Run, args: list[str], said: str) -> None:
    status, printed = await run(*args)
    assert status == 2
    assert said in printed


async def test_days_that_lack_buckets_are_told(house: House, owner: Owner, run: Run) -> None:
    await owner.empty()
    await owner.past(WHO, [ago(2)])
    await audit.close(house, day_ago(2))
    await owner.do("delete from identity.audit_anchor where bucket = 5")
    status, said = await run("close")
    assert (status, "lacks buckets" in said) == (1, True)
    await owner.empty()
