"""What the shop author's pages say is so: their shop runs, their tables agree with the code."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
import pytest
from tests.contract import library

from civicmall.gateway import breaker, cache, host
from civicmall.gateway import errors as gateway_errors
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import discover, load
from shopkit import Manifest, ShopDb, contract, errors
from shopkit.answers import CHECKS as ANSWER_CHECKS
from shopkit.kit import InProcess, run
from shopkit.manifest import SIZE_MAX, Stage
from shopkit.shop import NEEDS
from shopkit.testing import TestShop

AUTHOR: Final = library.PAGE.read_text()
REFERENCE: Final = library.PAGE.with_name("shop-reference.md").read_text()
ROW: Final = re.compile(r"^\| `([^`]+)` \| (.+?) \| (.+?) \| .+ \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plugins folder with the page's shop in it."""
    home = tmp_path_factory.mktemp("plugins")
    library.write(home)
    return home


@pytest.fixture(scope="module")
async def shop(plugins: Path, house: House) -> AsyncIterator[TestShop]:
    async with library.opened(plugins, house.settings.database_url) as t:
        yield t


async def test_the_shops_own_tests_pass(plugins: Path, house: House) -> None:
    """In a process of their own, as the page says."""
    ran = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=plugins / "city_library",
        env={**os.environ, "DATABASE_URL": house.settings.database_url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


async def test_the_command_that_checks_a_shop_is_content(plugins: Path) -> None:
    ran = await asyncio.to_thread(
        subprocess.run,
        [Path(sys.executable).with_name("civicmall"), "shop", "check", plugins / "city_library"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "city_library 0.1.0" in ran.stdout
    assert "`.venv/bin/civicmall shop check plugins/city_library`" in AUTHOR


async def test_the_shop_keeps_the_contract(shop: TestShop) -> None:
    findings = await run(InProcess(shop))
    assert [one for one in findings if one.result == "failed"] == []
    assert {one.app for one in findings if one.result == "passed"} == {
        "", *(app.id for app in shop.shop.manifest.apps)
    }  # fmt: skip


def keys(of: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each key of the manifest with its default as the table writes it."""
    for field in msgspec.structs.fields(of):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        nested = [t for t in (field.type, *_parts(field.type)) if _is_struct(t)]
        if default is msgspec.NODEFAULT:
            said = "required"
        elif nested and not isinstance(default, list):
            said = "see below"
        else:
            said = f"`{json.dumps(default)}`"
        yield at + field.name, said
        for inner in nested:
            several = "" if inner is field.type else "[]"
            yield from keys(inner, f"{at}{field.name}{several}.")


def _parts(kind: Any) -> Iterator[Any]:
    for part in get_args(kind):
        yield part
        yield from _parts(part)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_every_key_of_the_manifest_is_there_with_its_default() -> None:
    table = {key: default for key, _, default in ROW.findall(REFERENCE)}
    assert table == dict(keys(Manifest))
    assert f"at most {SIZE_MAX // 1024} KiB" in REFERENCE
    assert f"today {contract.CONTRACT}" in REFERENCE
    assert ", ".join(f"`{stage}`" for stage in get_args(Stage)) in REFERENCE


def test_a_wrong_key_is_named_as_the_page_says(plugins: Path, tmp_path: Path) -> None:
    manifest = json.loads((plugins / "city_library" / "shop.json").read_text())
    manifest["apps"][0]["min_level"] = 9
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "shop.json").write_text(json.dumps(manifest))
    (tmp_path / "wrong" / "pyproject.toml").write_bytes(
        (plugins / "city_library" / "pyproject.toml").read_bytes()
    )
    (entry,) = load(f for f in discover(tmp_path) if f.key == "wrong").all()
    assert entry.state == "broken"
    assert entry.reason.startswith("shop.json: $.apps[0].min_level: ")
    assert "`shop.json: $.apps[0].min_level: …`" in AUTHOR


@pytest.mark.parametrize("capability", NEEDS)
def test_every_capability_has_its_heading_and_its_operations(capability: str) -> None:
    section = AUTHOR.partition(f"\n## Capability: `{capability}`\n")[2].partition("\n## ")[0]
    for operation in NEEDS[capability]:  # pyright: ignore[reportArgumentType]
        told = section.partition(f"### `{operation}`\n")[2].partition("\n### ")[0]
        assert told, operation
        assert [c for c in ANSWER_CHECKS[operation] if f"`{c}`" not in told] == []


def test_every_noun_of_the_contract_is_named() -> None:
    nouns = {n for n, t in vars(contract).items() if _is_struct(t) and t is not msgspec.Struct}
    assert {n for n in nouns if f"`{n}`" not in AUTHOR} <= {"Reading"}


def test_every_way_to_fail_is_told() -> None:
    raised = [
        n for n, t in vars(errors).items() if isinstance(t, type) and t.__base__ is errors.ShopError
    ]
    assert [n for n in raised if f"`{n}(" not in REFERENCE] == []
    problems = [
        t for t in vars(gateway_errors).values()
        if isinstance(t, type) and issubclass(t, Problem) and t is not Problem
    ]  # fmt: skip
    assert [t.type for t in problems if f"`{t.type}`" not in REFERENCE] == []
    assert [
        t.type for t in problems if not re.search(rf"\| {t.status} [^|]*`{t.type}`", REFERENCE)
    ] == []


def test_the_numbers_are_those_of_the_gateway() -> None:
    assert f"up to {host.POOL_MAX} connections" in REFERENCE
    assert (
        f"After {breaker.FAULTS_MAX} faults in a row you are left alone for {breaker.OPEN_S:.0f} s"
        in REFERENCE
    )
    assert f"{breaker.OPEN_MAX_S:.0f} s. One good answer" in REFERENCE
    assert f"the last {cache.STALE_S / 3600:.0f} hours" in REFERENCE


def test_what_a_call_carries_is_told() -> None:
    from shopkit import Call, Citizen

    table = REFERENCE.partition("## What reaches you")[2]
    assert [
        f
        for f in Call.__struct_fields__
        if f not in {"citizen", "secret"} and f"`{f}`" not in table
    ] == []
    assert [
        f for f in Citizen.__struct_fields__ if f != "claims" and f"`citizen.{f}`" not in table
    ] == []
    assert [m for m in vars(ShopDb) if m[0] != "_" and f"`{m}`" not in table] == []
