"""Shops made for a test: a folder as a department would hand it in, with code from the test."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from civicmall import shops
from civicmall.kernel.config import Settings
from civicmall.shops import Registry

PROJECT: Final = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0.0"

[project.entry-points."civicmall.shops"]
{name} = "{name}:shop"
"""
HEAD: Final = """
from __future__ import annotations

import asyncio, sys, threading, time
from collections import Counter
from datetime import date, timedelta

from shopkit import *

shop = Shop(__package__)
told = Counter()
"""


def text(words: str) -> dict[str, str]:
    """One text in both languages."""
    return {"zh-CN": words, "en": words}


def app(app_id: str, *capabilities: str, **more: Any) -> dict[str, Any]:
    """An app of a manifest."""
    fees = [{"code": f"{app_id}.fee", "name": text("fee"), "basis": text("a test's list")}]
    return {
        "id": app_id, "name": text(app_id), "summary": text(app_id), "icon": "shop",
        "capabilities": list(capabilities), "fees": fees if "bills" in capabilities else [], **more,
    }  # fmt: skip


def manifest(shop_id: str, apps: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A manifest with everything that is asked for."""
    return {
        "id": shop_id, "version": "1.0.0", "contract": 1, "name": text(shop_id),
        "summary": text(shop_id), "department": text("office"),
        "contacts": {"responsible": text("a person"), "phone": "12345"},
        "settlement_account": f"{shop_id}.account", "apps": apps, **more,
    }  # fmt: skip


def unique(prefix: str) -> str:
    """A shop's id that no other module of the run imports under."""
    return f"{prefix}_{uuid4().hex[:8]}"


def build(plugins: Path, said: dict[str, Any], code: str, **files: str) -> None:
    """Write one shop: its manifest, its project, its code, its migrations by name.

    Code that doesn't make the shop itself stands below `HEAD`.
    """
    name = said["id"]
    home = plugins / name
    (home / "src" / name).mkdir(parents=True)
    (home / "shop.json").write_text(json.dumps(said, ensure_ascii=False))
    (home / "pyproject.toml").write_text(PROJECT.format(name=name))
    (home / "src" / name / "__init__.py").write_text(
        code if "\nshop = " in code else HEAD + textwrap.dedent(code)
    )
    for file, body in files.items():
        (home / "migrations").mkdir(exist_ok=True)
        (home / "migrations" / f"{file}.sql").write_text(textwrap.dedent(body))


def opened(plugins: Path) -> Registry:
    """The registry of a folder made here, and of no other shop."""
    return shops.load(shops.discover(plugins))


def beside_ours(plugins: Path) -> Registry:
    """The registry of a folder made here, and of the checkout's own shops."""
    ours = Settings.from_env({}, database_url="unused").plugins
    return shops.load([*shops.discover(plugins), *shops.discover(ours)])


def inside(shop_id: str) -> Any:
    """The shop's own module, for what it counted."""
    return sys.modules[shop_id]
