"""What the shop author's pages say is so: their shop runs, their tables agree with the code."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_origin

import msgspec
import pytest
from tests.contract import library

from civicmall.gateway import PROBE_S, breaker, cache, host, platform
from civicmall.gateway import errors as gateway_errors
from civicmall.gateway.raw import ASKED
from civicmall.gateway.raw_caller import ANSWERED
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import discover, load
from civicmall.shops import errors as shops_errors
from shopkit import EventType, Manifest, ShopDb, assertion, contract, errors, signatures, webhooks
from shopkit.answers import CHECKS as ANSWER_CHECKS
from shopkit.forms import FIELDS_MAX, Form
from shopkit.kit import CHECKS as KIT
from shopkit.kit import InProcess, run
from shopkit.manifest import SIZE_MAX, Stage
from shopkit.serve.http import TITLES
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


async def test_the_shop_keeps_the_contract(shop: TestShop) -> None:
    findings = await run(InProcess(shop))
    assert [one for one in findings if one.result == "failed"] == []
    apps = {app.id for app in shop.shop.manifest.apps}
    assert {one.app for one in findings if one.result == "passed"} == apps | {""}


def test_the_shop_does_everything_that_a_shop_can(shop: TestShop) -> None:
    """So that each chapter has code that runs."""
    assert {c for app in shop.shop.manifest.apps for c in app.capabilities} == set(NEEDS)
    assert shop.shop.manifest.webhooks is not None


def keys(of: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Each key of the manifest with its default as the table writes it; forms have a section."""
    for field in msgspec.structs.fields(of):
        default = field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        if default is msgspec.NODEFAULT:
            said = "required"
        else:
            said = "see below" if _is_struct(type(default)) else f"`{json.dumps(default)}`"
        yield at + field.name, said
        for inner in (t for t in (field.type, *_parts(field.type)) if _is_struct(t)):
            several = "[]" if get_origin(_plain(field.type)) is list else ""
            yield from () if inner is Form else keys(inner, f"{at}{field.name}{several}.")


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _parts(kind: Any) -> Iterator[Any]:
    for part in get_args(kind):
        yield part
        yield from _parts(part)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_every_key_of_the_manifest_is_there_with_its_default() -> None:
    section = REFERENCE.partition("## The manifest")[2].partition("\n## ")[0]
    table = {key: default for key, _, default in ROW.findall(section)}
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
    for operation in NEEDS[capability]:
        within = AUTHOR if operation == "progress.get" else section  # of `apply` as of `progress`
        told = re.split(r"\n##+ ", within.partition(f"### `{operation}`\n")[2])[0]
        assert told, operation
        assert [c for c in ANSWER_CHECKS.get(operation, {}) if f"`{c}`" not in told] == []


def test_every_file_is_named_where_its_block_stands() -> None:
    """What stands behind a block's language isn't shown."""
    named = re.findall(r"^`([^`\n]+)`\n\n```\w+ file=\1\n", AUTHOR, re.MULTILINE)
    assert named == [block.file for block in library.blocks() if block.file]


def test_every_noun_of_the_contract_is_named() -> None:
    nouns = {n for n, t in vars(contract).items() if _is_struct(t) and t is not msgspec.Struct}
    assert {n for n in nouns if f"`{n}`" not in AUTHOR} == set()


def test_every_way_to_fail_is_told() -> None:
    raised = [
        n for n, t in vars(errors).items() if isinstance(t, type) and t.__base__ is errors.ShopError
    ]
    assert [n for n in raised if f"`{n}(" not in REFERENCE] == []
    problems = [
        t for room in (gateway_errors, shops_errors) for t in vars(room).values()
        if isinstance(t, type) and issubclass(t, Problem) and t is not Problem
    ]  # fmt: skip
    assert [
        t.type for t in problems if not re.search(rf"\b{t.status} [^|]*`{t.type}`", REFERENCE)
    ] == []


def test_every_word_of_the_wire_is_told() -> None:
    """What a served shop answers, and what signatures, assertions and events may fail at."""
    wire = REFERENCE.partition("\n## The wire\n")[2].partition("\n## ")[0]
    words = [*TITLES, *signatures.CHECKS, *assertion.CHECKS, *webhooks.CHECKS]
    assert [word for word in words if f"`{word}`" not in wire] == []
    assert [word for word in get_args(EventType) if f"`{word}`" not in REFERENCE] == []
    headers = {name.decode() for name in ASKED | ANSWERED} - {"accept"}
    assert [name for name in headers if f"`{name}`" not in wire] == []
    assert f'alg="ed25519";tag="{signatures.SHOP_TAG}"' in wire
    assert f"`{signatures.CALLBACK_TAG}`" in wire
    assert f'"typ": "{assertion.TYPE}"' in wire
    assert f"at most {signatures.SKEW_S} s from your clock" in wire
    assert f"`nonce` has {signatures.NONCE_MIN} to {signatures.NONCE_MAX} characters" in wire
    assert f"at most {assertion.LIFE_S_MAX} s apart" in wire
    assert [f for f in assertion.Assertion.__struct_fields__ if f"`{f}`" not in wire] == []
    assert f"today `{platform.KID}`" in wire


def test_every_check_of_the_kit_is_told_in_its_words() -> None:
    where = {"any": "both", "inside": "code", "wire": "address"}
    told = re.findall(r"^\| `([^`]+)` \| (both|code|address) \| (.+) \|$", REFERENCE, re.MULTILINE)
    assert sorted(told) == sorted((c.name, where[c.needs], c.asks) for c in KIT.values())
    assert f" {len(KIT)} checks; " in REFERENCE


def test_what_is_quoted_of_the_shop_in_javascript_stands_there() -> None:
    quoted = [block for block in library.blocks() if "from" in block.said]
    assert quoted
    for block in quoted:
        source = (library.ROOT / block.said["from"]).read_text()
        assert block.text in source, block.text
        assert f"`{block.said['from']}`" in AUTHOR


def test_the_numbers_are_those_of_the_gateway() -> None:
    assert f"up to {host.POOL_MAX} connections" in REFERENCE
    assert f"Up to {FIELDS_MAX} fields" in REFERENCE
    assert f"every {PROBE_S:.0f} s as a health probe" in REFERENCE
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
