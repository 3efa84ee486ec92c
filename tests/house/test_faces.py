"""Others see of a room what its face exports; of the platform a shop sees shopkit alone.

The imports themselves are import-linter's (.importlinter). This looks at what it can't see: a
name taken through a face that doesn't offer it, and the folders of shops.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.house.house import CITY, PLUGINS, ROOMS, files, program, short, tree

FACES: Final = [room for room in ROOMS if room != "kernel"]
"""The kernel has no face: its modules are imported by name."""
MAY_USE: Final = {"shopkit", "msgspec"}
"""Beside the standard library, what a shop may import without saying so in its pyproject.toml."""


def exported(room: str) -> set[str]:
    face: Any = importlib.import_module(f"civicmall.{room}")
    return set(getattr(face, "__all__", ())) | {"routers"}


@pytest.mark.parametrize("room", FACES)
def test_a_face_exports_what_it_has(room: str) -> None:
    face: Any = importlib.import_module(f"civicmall.{room}")
    assert face.__doc__
    assert [name for name in exported(room) - {"routers"} if not hasattr(face, name)] == []


def taken(path: Path) -> Iterator[tuple[str, str, int]]:
    """Room, name and line of all that a module takes from rooms' faces."""
    faces: dict[str, str] = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "civicmall":
            faces |= {a.asname or a.name: a.name for a in node.names if a.name in FACES}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("civicmall."):
            room = (node.module or "").split(".")[1]
            if node.module == f"civicmall.{room}" and room in FACES:
                yield from ((room, alias.name, node.lineno) for alias in node.names)
    for node in ast.walk(tree(path)):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in faces
        ):
            yield faces[node.value.id], node.attr, node.lineno


def test_others_take_from_a_room_only_what_its_face_exports() -> None:
    behind = [
        f"{short(path)}:{line}: {room}.{name}"
        for path in program()
        if path.is_relative_to(CITY)
        for room, name, line in taken(path)
        if not path.is_relative_to(CITY / room) and name not in exported(room)
    ]
    assert behind == []


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("shop", sorted(path.parent.name for path in PLUGINS.glob("*/shop.json")))
def test_a_shop_knows_the_contract_and_itself(shop: str) -> None:
    """Not the platform, and not its neighbours: it may run elsewhere one day.

    Its tests may borrow the platform's PostgreSQL and migrations.
    """
    allowed = {shop, *MAY_USE, *sys.stdlib_module_names}
    for path in files(".py"):
        if path.is_relative_to(PLUGINS / shop) and "tests" not in path.parts:
            assert [name for name in imported(path) if name not in allowed] == [], short(path)
