"""docs/security.md: each room has its threats, each row is whole, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from tests.house.house import CITY, ROOMS, ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text()
TESTS: Final = ROOT / "tests"
NAMED: Final = re.compile(r"`([\w/]+\.py)::(test_\w+)`")
ANCHOR: Final = re.compile(r"\]\((#[\w-]+)\)")
READ: Final = re.compile(r"read `([\w/.-]+)`")
THREATS: Final = "# Threats, room by room"
ASVS: Final = "# OWASP ASVS 5.0.0"
OPEN: Final = "# Open"
STATES: Final = {"met", "in part", "not met", "n/a"}
WHOLE: Final = {
    "2.1": 3, "2.2": 3, "2.3": 4, "2.4": 1, "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3,
    "6.8": 4, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2, "8.1": 2, "8.2": 3, "8.3": 1,
    "8.4": 1, "9.1": 3, "9.2": 4, "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2,
    "10.7": 3, "11.1": 2, "11.2": 3, "11.3": 3, "11.4": 4, "11.5": 1, "11.6": 1, "13.1": 1, "13.2": 5,
    "13.3": 2, "13.4": 5, "14.1": 2, "14.2": 4, "14.3": 3, "16.1": 1, "16.2": 5, "16.3": 4, "16.4": 3,
    "16.5": 3,
}  # fmt: skip
"""Section of OWASP ASVS 5.0.0 → how many of its requirements are of level 1 or 2, which come first."""


def part(begin: str, end: str | None = None) -> str:
    """What stands from one of the page's great headings to the next."""
    after = PAGE.split(f"\n{begin}", 1)[1]
    return after if end is None else after.split(f"\n{end}", 1)[0]


def rows(text: str) -> list[list[str]]:
    """The rows of its tables, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rules = {n for n, line in enumerate(lines) if set(line) <= set("|- ")}
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for n, line in enumerate(lines)
        if n not in rules and n + 1 not in rules
    ]


@cache
def named_in(path: Path) -> frozenset[str]:
    """The tests of a file, read but not run."""
    found = ast.walk(ast.parse(path.read_text(), str(path)))
    return frozenset(
        node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_every_test_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 300
    missing = {
        f"{file}::{name}"
        for file, name in named
        if not (TESTS / file).is_file() or name not in named_in(TESTS / file)
    }
    assert missing == set()


def test_every_room_has_its_threats() -> None:
    heads = set(
        re.findall(
            r"`([\w/]+)`", "\n".join(re.findall(r"^### .*$", part(THREATS, ASVS), re.MULTILINE))
        )
    )
    within = {f"identity/{p.parent.name}" for p in (CITY / "identity").glob("*/__init__.py")}
    assert heads >= {*ROOMS, *within, "openapi"}
    for one in re.split(r"^### ", part(THREATS, ASVS), flags=re.MULTILINE)[1:]:
        assert {row[0] for row in rows(one)} == set("STRIDE"), one.splitlines()[0]


def test_every_threat_is_whole_and_has_a_test() -> None:
    found = rows(part(THREATS, ASVS))
    assert len(found) > 150
    for row in found:
        assert len(row) == 4, row
        assert all(row), row
        assert NAMED.search(row[3]), row


def test_every_requirement_is_whole_and_says_how_it_is_met() -> None:
    for row in rows(part(ASVS, OPEN)):
        assert len(row) == 6, row
        assert all(row), row
        assert row[3] in STATES, row
        shown = NAMED.search(row[5]) or ANCHOR.search(row[5]) or READ.search(row[5])
        assert bool(shown) == (row[3] in {"met", "in part"}), row


def test_no_requirement_is_twice_and_none_of_a_whole_section_is_missing() -> None:
    numbers = [row[0] for row in rows(part(ASVS, OPEN))]
    assert [one for one, times in Counter(numbers).items() if times > 1] == []
    whole = {f"{section}.{n}" for section, many in WHOLE.items() for n in range(1, many + 1)}
    assert {one for one in numbers if not one.startswith("3.")} == whole


def test_what_is_not_done_stands_under_open() -> None:
    said = part(OPEN)
    for row in rows(part(ASVS, OPEN)):
        if "see open" in row[4].lower():
            assert re.search(rf"(?<![\d.]){re.escape(row[0])}(?![\d.])", said), row
        if row[3] == "not met":
            assert "see open" in row[4].lower(), row


@pytest.mark.parametrize("anchor", sorted(set(ANCHOR.findall(PAGE))))
def test_what_the_page_leads_to_stands_on_it(anchor: str) -> None:
    heads = [head.lower() for head in re.findall(r"^#+ (.+)$", PAGE, re.MULTILINE)]
    slugs = {re.sub(r"[^\w -]", "", head).replace(" ", "-") for head in heads}
    assert anchor.removeprefix("#") in slugs


@pytest.mark.parametrize("path", sorted(set(READ.findall(PAGE))))
def test_what_is_to_be_read_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_events_that_it_names_are_logged() -> None:
    """Each event under "What is logged" is written somewhere in the program."""
    table = PAGE.split("## What is logged", 1)[1].split("\n# ", 1)[0]
    code = "\n".join(path.read_text() for path in CITY.rglob("*.py"))
    named = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", table))
    assert named
    assert {one for one in named if f'"{one}"' not in code} == set()
