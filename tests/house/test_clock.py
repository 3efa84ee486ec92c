"""One clock: nobody but the kernel asks the operating system for the time.

Else a test could not move it, and two parts of one request could see two dates.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest
from tests.house.house import ROOT, program, short, tree

ASKING: Final = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
}
"""`time.monotonic` measures and may be used by anybody."""
MAY_ASK: Final = {
    "backend/civicmall/kernel/clock.py": "It is the clock.",
    "backend/civicmall/kernel/ids.py": "An id's milliseconds only put it in order.",
    "backend/shopkit/src/shopkit/kit/letters.py": "A letter is signed when it is sent.",
    "backend/shopkit/src/shopkit/serve/clock.py": "A served shop's: its machine's, as for signatures.",
    "backend/shopkit/src/shopkit/testing.py": "A department's tests stand at now unless told.",
}


def asks(path: Path) -> list[str]:
    """Each place in a module that looks at the wall clock."""
    found: list[str] = []
    bare: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            bare |= {alias.asname or alias.name for alias in node.names} & ASKING["time"]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            whose = getattr(owner, "attr", None) or getattr(owner, "id", "")
            if node.attr in ASKING.get(whose, ()):
                found.append(f"{short(path)}:{node.lineno}: {whose}.{node.attr}")
        elif isinstance(node, ast.Name) and node.id in bare:
            found.append(f"{short(path)}:{node.lineno}: {node.id}")
    return found


def test_only_the_clock_knows_the_time() -> None:
    found = [place for path in program() if short(path) not in MAY_ASK for place in asks(path)]
    assert found == []


@pytest.mark.parametrize("name", MAY_ASK)
def test_an_exemption_has_a_sentence_and_is_needed(name: str) -> None:
    assert MAY_ASK[name].endswith(".")
    assert asks(ROOT / name)
