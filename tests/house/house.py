"""The house as its rules see it: where the rooms are, and every file that is ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CITY: Final = ROOT / "backend" / "civicmall"
KIT: Final = ROOT / "backend" / "shopkit" / "src" / "shopkit"
PLUGINS: Final = ROOT / "plugins"
NO_ROOMS: Final = {"cli"}
"""Folders that stand above the rooms."""
ROOMS: Final = sorted(
    path.parent.name for path in CITY.glob("*/__init__.py") if path.parent.name not in NO_ROOMS
)
NOT_OURS: Final = {
    ".git",
    ".venv",
    ".data",
    "artefacts",
    "node_modules",
    "__pycache__",
    "results.json",
}
"""What others made, or what a run leaves behind; also everything that ends in _cache or egg-info."""


@cache
def files(*endings: str) -> list[Path]:
    """Every file of the checkout that somebody wrote, by path; only these endings if given."""
    return sorted(p for p in _walk(ROOT) if not endings or p.suffix in endings)


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        name = path.name
        if name in NOT_OURS or name.endswith(("_cache", ".egg-info")) or name == ".hypothesis":
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def short(path: Path) -> str:
    """As one says it: from the checkout's root."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A module, read but not run."""
    return ast.parse(path.read_text(), str(path))


def program() -> list[Path]:
    """The modules that run in the city: rooms, contract and shops, without any tests."""
    return [p for p in files(".py") if p.is_relative_to(CITY) or p.is_relative_to(KIT)
            or (p.is_relative_to(PLUGINS) and "tests" not in p.parts)]  # fmt: skip
