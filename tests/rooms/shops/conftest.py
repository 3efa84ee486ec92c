"""A plugins folder to break: good shops are written into it, and then something is wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CODE = """
from shopkit import Call, Progress, ProgressQuery, Shop

shop = Shop(__package__)


@shop.progress("matters")
async def matters(call: Call, query: ProgressQuery) -> list[Progress]:
    return []
"""


def manifest(shop: str) -> dict[str, Any]:
    return {
        "id": shop,
        "version": "1.0.0",
        "contract": 1,
        "name": {"zh-CN": f"{shop}店", "en": shop.title()},
        "summary": {"zh-CN": "办事"},
        "department": {"zh-CN": "某局", "en": "An office"},
        "contacts": {"responsible": {"zh-CN": "服务台"}, "phone": "19900008120"},
        "settlement_account": shop,
        "apps": [
            {
                "id": "matters",
                "name": {"zh-CN": "进度", "en": "Progress"},
                "summary": {"zh-CN": "办到哪一步"},
                "icon": "book",
                "capabilities": ["progress"],
                "claims": [{"name": "phone", "purpose": {"zh-CN": "通知", "en": "To tell you"}}],
            }
        ],
    }


class Plugins:
    """A folder of shops; each package is called `broken_<folder>` so that no test meets another's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(
        self,
        folder: str,
        *,
        shop: str | None = None,
        code: str = CODE,
        change: Callable[[dict[str, Any]], object] = lambda _: None,
        package: str | None = None,
    ) -> Path:
        """A good shop, but for what is given."""
        home = self.path / folder
        package = package or f"broken_{folder}"
        (home / "src" / package).mkdir(parents=True)
        (home / "src" / package / "__init__.py").write_text(code)
        (home / "pyproject.toml").write_text(
            f'[project]\nname = "{folder}"\n'
            f'[project.entry-points."civicmall.shops"]\n{folder} = "{package}:shop"\n'
        )
        said = manifest(shop or folder)
        change(said)
        (home / "shop.json").write_text(json.dumps(said, ensure_ascii=False))
        return home


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugins]:
    """Empty at first. What is imported from it is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield Plugins(tmp_path)
    for name in [name for name in sys.modules if name.startswith("broken_")]:
        del sys.modules[name]
