"""A shop object: what the code serves against what the manifest declares."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shopkit import BadManifest, Shop, ShopDb

MANIFEST = {
    "id": "library",
    "version": "1.0.0",
    "contract": 1,
    "name": {"zh-CN": "图书馆"},
    "summary": {"zh-CN": "借书"},
    "department": {"zh-CN": "文化局"},
    "contacts": {"responsible": {"zh-CN": "总服务台"}, "phone": "19900008120"},
    "settlement_account": "library",
    "apps": [
        {
            "id": "fees",
            "name": {"zh-CN": "逾期费"},
            "summary": {"zh-CN": "逾期"},
            "icon": "book",
            "capabilities": ["progress", "bills"],
            "fees": [{"code": "late", "name": {"zh-CN": "逾期费"}, "basis": {"zh-CN": "规定"}}],
        }
    ],
}


@pytest.fixture(name="shop")
def a_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    package = tmp_path / "src" / "kit_library"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (tmp_path / "shop.json").write_text(json.dumps(MANIFEST))
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    return Shop("kit_library")


async def serve(*_: Any) -> Any:
    """Does for every operation."""


def test_it_reads_its_own_manifest(shop: Shop, tmp_path: Path) -> None:
    assert shop.manifest.id == "library"
    assert shop.file == tmp_path / "shop.json"
    assert shop.migrations is None
    assert shop.seeder is None


@pytest.mark.usefixtures("shop")
def test_migrations_lie_beside_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    assert Shop("kit_library").migrations == tmp_path / "migrations"


@pytest.mark.parametrize("package", [None, ""])
def test_a_shop_outside_a_package_is_refused(package: str | None) -> None:
    with pytest.raises(BadManifest, match=r"Shop\(__package__\)"):
        Shop(package)


def test_each_decorator_gives_the_function_back_and_keeps_it(shop: Shop) -> None:
    decorators = {
        "progress.list": shop.progress,
        "bills.list": shop.bills,
        "bills.get": shop.bill,
        "charge.quote": shop.quote,
        "charge.paid": shop.charge_paid,
    }
    for operation, decorator in decorators.items():
        assert decorator("fees")(serve) is serve  # pyright: ignore[reportArgumentType]
        assert shop.answering.handlers["fees", operation] is serve
    shop.check()


@pytest.mark.parametrize("left_out", ["progress", "bills", "bill", "quote", "charge_paid"])
def test_a_declared_capability_without_code_is_named(shop: Shop, left_out: str) -> None:
    operations = {
        "progress": "progress.list",
        "bills": "bills.list",
        "bill": "bills.get",
        "quote": "charge.quote",
        "charge_paid": "charge.paid",
    }
    for name in operations.keys() - {left_out}:
        getattr(shop, name)("fees")(serve)
    with pytest.raises(BadManifest) as refused:
        shop.check()
    assert refused.value.key == "$.apps[0].capabilities"
    assert refused.value.problem == f"fees: no code for {operations[left_out]}"


def test_code_for_an_undeclared_app_is_refused(shop: Shop) -> None:
    with pytest.raises(BadManifest, match="the code serves loans"):
        shop.progress("loans")


def test_a_seeder_is_kept(shop: Shop) -> None:
    @shop.seed
    async def fill(db: ShopDb, secret: bytes, today: date) -> None:
        """Nothing to fill."""

    assert shop.seeder is fill
