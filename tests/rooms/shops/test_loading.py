"""Whatever is wrong with one shop is said by name, and costs only that shop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.patience import STALL_S
from tests.rooms.shops.conftest import CODE, Plugins

from civicmall.shops import NoSuchApp, NoSuchShop, Registry, discover, load, service

Breaking = Callable[[Path], object]
Change = Callable[[dict[str, Any]], object]


def loaded(plugins: Plugins) -> Registry:
    """The folder's own shops, whatever else is installed."""
    names = {path.name for path in plugins.path.iterdir()}
    return load(found for found in discover(plugins.path) if found.key in names)


def states(registry: Registry) -> dict[str, str]:
    return {entry.id: entry.state for entry in registry.all()}


def reason(plugins: Plugins, shop: str = "b") -> str:
    """Why one shop is broken, while those before and after it are well."""
    plugins.add("aa")
    plugins.add("cc")
    registry = loaded(plugins)
    assert states(registry) == {"aa": "live", shop: "broken", "cc": "live"}
    assert registry.get(shop).shop is None
    return registry.get(shop).reason


def test_a_good_shop_is_live(plugins: Plugins) -> None:
    plugins.add("aa")
    registry = loaded(plugins)
    entry = registry.get("aa")
    assert (entry.state, entry.reason) == ("live", "")
    assert entry.shop is not None
    assert entry.shop.manifest == entry.manifest
    assert registry.manifest("aa").name["en"] == "Aa"
    assert registry.app("aa", "matters").icon == "book"
    assert registry.view("aa", "en").state == "live"


def test_finding_runs_no_code(plugins: Plugins) -> None:
    plugins.add("aa", code="raise SystemExit('imported')")
    found = [one for one in discover(plugins.path) if one.key == "aa"]
    assert [(one.package, one.attribute, one.problem) for one in found] == [
        ("broken_aa", "shop", "")
    ]
    assert "broken_aa" not in sys.modules


WRONG: list[tuple[Change, str]] = [
    (lambda m: m.update(opening="9am"), "$: Object contains unknown field `opening`"),
    (
        lambda m: m["apps"][0].update(prize=1),
        "$.apps[0]: Object contains unknown field `prize`",
    ),
    (lambda m: m.pop("contacts"), "$: Object missing required field `contacts`"),
    (lambda m: m.update(contract=3), "$.contract: this platform speaks contracts 1 and 2"),
    (lambda m: m["name"].pop("zh-CN"), "$.name: zh-CN is missing"),
    (lambda m: m["apps"].append(m["apps"][0]), "$.apps[1].id: matters stands twice"),
]


@pytest.mark.parametrize(("change", "key"), WRONG)
def test_a_wrong_manifest_is_named_by_its_key(plugins: Plugins, change: Change, key: str) -> None:
    plugins.add("b", shop="b_shop", change=change)
    assert reason(plugins) == f"shop.json: {key}"
    assert "broken_b" not in sys.modules, "no code was run"


def spoil_bytes(home: Path) -> None:
    (home / "shop.json").write_bytes(b'{"id": "\xff"}')


def spoil_json(home: Path) -> None:
    (home / "shop.json").write_text("{")


def dangling(home: Path) -> None:
    (home / "shop.json").unlink()
    (home / "shop.json").symlink_to(home / "nothing")


def directory(home: Path) -> None:
    (home / "shop.json").unlink()
    (home / "shop.json").mkdir()


@pytest.mark.parametrize("spoil", [spoil_bytes, spoil_json, directory])
def test_an_unreadable_manifest(plugins: Plugins, spoil: Breaking) -> None:
    spoil(plugins.add("b"))
    assert reason(plugins).startswith("shop.json: $: ")


def test_a_manifest_that_leads_nowhere(plugins: Plugins) -> None:
    """Not there at all, or there and unreadable, as the Python version's glob sees it."""
    dangling(plugins.add("b"))
    plugins.add("aa")
    assert loaded(plugins).get("aa").state == "live"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "[project",
        "project = 1",
        "[project]\nentry-points = 'x'",
        "[project]\nname = 'b'",
        "[project.entry-points.other]\nb = 'b:shop'",
        '[project.entry-points."civicmall.shops"]\n',
        '[project.entry-points."civicmall.shops"]\nb = 7\n',
        '[project.entry-points]\n"civicmall.shops" = "b:shop"\n',
        "\udcff",
    ],
)
def test_a_project_without_an_entry_point(plugins: Plugins, text: str | None) -> None:
    path = plugins.add("b", shop="b_shop") / "pyproject.toml"
    if text is None:
        path.unlink()
    else:
        path.write_bytes(text.encode(errors="surrogateescape"))
    assert reason(plugins, "b_shop").startswith(
        "pyproject.toml: no entry point in civicmall.shops ("
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise ValueError('no meter system')", "ValueError while importing: no meter system"),
        ("import no_such_library", "ModuleNotFoundError while importing: "),
        ("def", "SyntaxError while importing: "),
        ("raise SystemExit('bye')", "SystemExit while importing: bye"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt while importing: "),
        ("pass", "AttributeError while importing: "),
        ("shop = object()", "broken_b:shop is no shopkit.Shop"),
        ("from shopkit import Shop\nshop = Shop", "broken_b:shop is no shopkit.Shop"),
        ("from shopkit import Shop\nshop = Shop('')", "BadManifest while importing: shop: $: "),
        (CODE + "shop.bills('loans')", "BadManifest while importing: shop.json: $.apps: "),
        (
            "from shopkit import Shop\nshop = Shop(__package__)",
            "shop.json: $.apps[0].capabilities: matters: no code for progress.list",
        ),
    ],
)
def test_code_that_does_not_serve(plugins: Plugins, code: str, said: str) -> None:
    plugins.add("b", shop="b_shop", code=code)
    assert reason(plugins, "b_shop").startswith(said)


def test_a_long_complaint_is_cut(plugins: Plugins) -> None:
    plugins.add("b", shop="b_shop", code="raise ValueError('x' * 100_000)")
    assert len(reason(plugins, "b_shop")) == service.REASON_MAX


def test_an_import_that_hangs_is_left_out(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others come first here, so that the short limit is not theirs."""
    plugins.add("aa")
    plugins.add("cc")
    assert set(states(loaded(plugins)).values()) == {"live"}
    plugins.add("b", shop="b_shop", code="import time\ntime.sleep(6)")
    monkeypatch.setattr(service, "IMPORT_S", 0.5)
    began = time.monotonic()
    registry = loaded(plugins)
    assert time.monotonic() - began < 0.5 + 2 * STALL_S
    assert states(registry) == {"aa": "live", "b_shop": "broken", "cc": "live"}
    assert registry.get("b_shop").reason == "importing took longer than 0.5 s"


def test_an_id_belongs_to_the_folder_of_that_name(plugins: Plugins) -> None:
    plugins.add("aa", shop="mine", code="raise SystemExit('imported')")
    plugins.add("mine")
    registry = loaded(plugins)
    assert states(registry) == {"mine": "live", "aa": "broken"}
    assert registry.get("aa").reason == "the id mine is taken"
    assert "broken_aa" not in sys.modules, "no code was run"
    assert [view.id for view in registry.views("en")] == ["mine"], "citizens see it once"


def test_else_to_the_first(plugins: Plugins) -> None:
    plugins.add("aa", shop="mine")
    plugins.add("b", shop="mine")
    assert states(loaded(plugins)) == {"mine": "live", "b": "broken"}


def test_a_shop_without_an_id_takes_nobodys(plugins: Plugins) -> None:
    """Its folder is called like another's id."""
    plugins.add("aa", shop="other")
    spoil_json(plugins.add("other"))
    registry = loaded(plugins)
    assert states(registry) == {"other": "live", "other~": "broken"}
    assert registry.get("other~").reason.startswith("shop.json: ")


def test_two_folders_with_one_package(plugins: Plugins) -> None:
    """Python knows only the first: the second's manifest must not stand before the first's code."""
    plugins.add("aa", package="broken_both")
    plugins.add("cc", package="broken_both")
    registry = loaded(plugins)
    assert states(registry) == {"aa": "live", "cc": "broken"}
    assert registry.get("cc").reason == "broken_both was imported from elsewhere, for the shop aa"


def test_code_beside_the_manifest(plugins: Plugins) -> None:
    """A project without `src`."""
    home = plugins.add("aa")
    (home / "src" / "broken_aa").rename(home / "broken_aa")
    (home / "src").rmdir()
    assert states(loaded(plugins)) == {"aa": "live"}


def test_a_folder_without_a_manifest_is_no_shop(plugins: Plugins) -> None:
    (plugins.path / "notes").mkdir()
    (plugins.path / "README.md").touch()
    assert discover(plugins.path) == discover(None)
    assert discover(plugins.path / "nowhere") == discover(None)


def test_installed_shops_are_found_and_a_folder_of_that_name_goes_before(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = plugins.add("installed")
    sys.path.append(str(home / "src"))
    points = [
        EntryPoint("installed", "broken_installed:shop", service.GROUP),
        EntryPoint("gone", "broken_gone", service.GROUP),
    ]

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point for point in points if point.group == group]

    monkeypatch.setattr(service, "entry_points", entry_points)
    gone, installed = discover(None)
    assert installed.manifest == home / "shop.json"
    assert installed.source is None
    assert gone.problem == "broken_gone: $: the package is not installed"
    assert states(load([gone, installed])) == {"gone": "broken", "installed": "live"}

    folder = next(one for one in discover(plugins.path) if one.key == "installed")
    assert folder.source == home / "src"


def test_a_shop_that_cannot_start_is_reported(plugins: Plugins) -> None:
    """Its code could be imported, but its tables, say, could not be made."""
    plugins.add("aa")
    plugins.add("bb")
    registry = loaded(plugins)
    registry.report("bb", "division by zero")
    assert states(registry) == {"aa": "live", "bb": "broken"}
    assert (registry.get("bb").shop, registry.get("bb").reason) == (None, "division by zero")
    assert registry.view("bb", "en").state == "recovering"


def test_what_is_not_there(plugins: Plugins) -> None:
    plugins.add("aa")
    spoil_json(plugins.add("b"))
    registry = loaded(plugins)
    with pytest.raises(NoSuchShop) as refused:
        registry.get("zz")
    assert refused.value.extra == {"shop": "zz"}
    with pytest.raises(NoSuchShop):
        registry.manifest("b")
    with pytest.raises(NoSuchApp):
        registry.app("aa", "loans")
    assert [view.id for view in registry.views("zh-CN")] == ["aa"]
