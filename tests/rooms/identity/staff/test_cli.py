"""`civicmall staff …`, beside a running city, as whoever runs it types it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from tests.city import City
from tests.rooms.identity.staff.steps import PASSWORD, account, enrolled, sign_in
from tests.rooms.identity.steps import problem, refreshed


async def civicmall(city: City, *args: str, said: str = "", **env: str) -> tuple[int, str]:
    """The command's exit code and what it printed; `said` is typed where it asks."""
    settings = city.settings
    run = await asyncio.to_thread(
        subprocess.run,
        [Path(sys.executable).with_name("civicmall"), *args],
        input=said, capture_output=True, text=True, timeout=90, check=False,
        env={**os.environ, "DATABASE_URL": settings.database_url, "COLUMNS": "200",
             "CIVICMALL_DATA": str(settings.data_dir), **env},
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


async def test_an_account_from_its_making_to_its_end(city: City) -> None:
    twice = f"{PASSWORD}\n{PASSWORD}\n"
    add = ("staff", "add", "new_auditor", "--name", "审计 顾岩")
    code, told = await civicmall(city, *add, "--role", "auditor", said=twice)
    assert (code, "new_auditor" in told) == (0, True), told
    nobody = await city.anonymous()
    pair = (await sign_in(nobody, "new_auditor")).json()
    client = await city.client(pair["access_token"])
    assert (await client.get("/v1/staff/me")).json()["role"] == "auditor"

    code, told = await civicmall(city, *add, "--role", "agent", said=twice)
    assert (code, "--shop" in told) == (2, True)
    weak = "passwordadmin\npasswordadmin\n"
    code, told = await civicmall(city, "staff", "password", "new_auditor", said=weak)
    assert (code, "guessed" in told) == (2, True)
    new = "seven ripe pears tonight"
    code, told = await civicmall(city, "staff", "password", "new_auditor", said=f"{new}\n{new}\n")
    assert code == 0, told
    assert problem(await refreshed(nobody, pair["refresh_token"])) == (401, "token-invalid")
    assert (await sign_in(nobody, "new_auditor", new)).status_code == 200

    code, told = await civicmall(city, "staff", "disable", "new_auditor")
    assert code == 0, told
    code, told = await civicmall(city, "staff", "list")
    line = next(one for one in told.splitlines() if one.startswith("new_auditor"))
    assert line.split() == ["new_auditor", "auditor", "-", "password", "only", "closed"]
    assert problem(await sign_in(nobody, "new_auditor", new)) == (401, "wrong-password")
    for command in ("disable", "reset-factor"):
        code, told = await civicmall(city, "staff", command, "nobody")
        assert (code, "no account nobody" in told) == (2, True)


async def test_a_lost_phone_and_a_terminal_that_has_one(city: City) -> None:
    username = await account(city, "operator")
    phone, _, _ = await enrolled(city, username)
    here = ("--platform", city.url, "--username", username)
    env = {"CIVICMALL_PASSWORD": PASSWORD}
    code, told = await civicmall(city, "shop", "releases", *here, **env, CIVICMALL_CODE=phone.wrong())  # fmt: skip
    assert (code, "not right" in told) == (1, True), told
    code, told = await civicmall(city, "shop", "releases", *here, **env, CIVICMALL_CODE=phone.code())  # fmt: skip
    assert code == 0, told

    nobody = await city.anonymous()
    assert problem(await sign_in(nobody, username)) == (401, "second-factor-needed")
    code, told = await civicmall(city, "staff", "reset-factor", username)
    assert code == 0, told
    assert (await sign_in(nobody, username)).status_code == 200
