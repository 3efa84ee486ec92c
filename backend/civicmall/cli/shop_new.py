"""`civicmall shop new`: a folder with a small shop that works."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

TEMPLATE: Final = Path(__file__).parent / "new_shop"
"""Its files, each with `.txt` behind its name: they are nobody's code yet."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
"""Of a shop or an app, as the manifest has it; a shop's is an address, a schema and a package too."""


class BadName(Exception):
    """A name that no shop can have, or a folder that is there already."""


def make(into: Path, name: str, app: str) -> Path:
    """The folder `into/name`, filled. Raises BadName."""
    for said in (name, app):
        if not NAME.fullmatch(said):
            raise BadName(f"{said!r}: 2 to 40 small letters, digits and _, beginning with a letter")
    home = into / name
    if home.exists():
        raise BadName(f"{home} is there already")
    for source in sorted(TEMPLATE.rglob("*.txt")):
        inside = str(source.relative_to(TEMPLATE)).removesuffix(".txt").replace("NAME", name)
        path = home / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.read_text().replace("@name@", name).replace("@app@", app))
    return home
