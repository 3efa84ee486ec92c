"""What may stand in a file, and which files may stand in a room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from tests.house.house import CITY, PLUGINS, ROOMS, ROOT, files, program, short, tree

LINES_MAX: Final = 450
"""What a reader holds in mind; the bloated files of good projects all began below it."""
CODE: Final = (".py", ".sql", ".js", ".css", ".html")

UNFINISHED: Final = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK|NotImplemented" r"Error)\b")
UNFINISHED_BUT: Final = {
    "backend/shopkit/src/shopkit/workdays.py": (
        "chinesecalendar raises it for a year whose holidays are not published yet."
    ),
}

MACHINE: Final = re.compile(
    r"(?<![\w.}~:/])/(?:(?:work|root)/[\w.~-]|(?:home|Users)/[\w.~-]+/[\w.~-])"
)
"""A path of somebody's own machine."""

SQL: Final = re.compile(
    r"^\s*(?:select\s|insert\s+into\s|update\s+[\w.]+\s+set\s|delete\s+from\s|truncate\s"
    r"|with\s+\w+\s+as\s*\(|(?:create|alter|drop)\s+(?:table|schema|role|database|index|function|view)\s"
    r"|alter\s+default\s|grant\s+\S+.*\sto\s|revoke\s|set\s+(?:local\s+)?(?:role|search_path)\b|listen\s+\w|notify\s+\w)",
    re.IGNORECASE,
)
SQL_BUT: Final = {
    "backend/civicmall/kernel/migrate.py": (
        "It names schemas and roles, which PostgreSQL takes from no parameter."
    ),
    "backend/civicmall/kernel/roles.py": (
        "It names roles and databases, which PostgreSQL takes from no parameter either."
    ),
}

STANDARD: Final = {
    "__init__.py", "models.py", "rules.py", "service.py", "queries.sql", "queries.py", "routes.py",
    "events.py", "errors.py", "jobs.py", "personal.py", "personal", "words.py", "views.py", "migrations", "locale", "templates",
    "static", "content",
}  # fmt: skip
"""The furniture that every room has, as far as it needs it; `queries.py` where several modules
share the statements, `personal.py` for what it keeps about a citizen, `words.py` for its messages, `views.py` from rows to what is shown."""
OF_ITS_OWN: Final[dict[str, dict[str, str]]] = {
    "cases": {
        "dealings.py": "What passes between a case and its shop.",
        "desk.py": "The verbs of staff; citizens' are in `service.py`.",
        "materials.py": "Papers: kept sealed, given to the shop that has the case.",
        "steps.py": "The one way in which a case moves.",
    },
    "catalogue": {
        "catalogue.py": "The compiled catalogue in memory, which is what others hold.",
        "compile.py": "From conditions as data to what is evaluated.",
        "content.py": "Reads and checks the content's files.",
        "dates.py": "Ages and windows, reckoned as the Civil Code does.",
        "derive.py": "Facts that follow from facts.",
        "evaluate.py": "One item against one citizen; the oracle that the index is tested by.",
        "explain.py": "Why an item is shown, in words.",
        "index.py": "All items against one citizen at once, in bit masks.",
        "known.py": "What is known of a citizen, and what isn't.",
        "law.py": "The figures and dates that laws set.",
        "search.py": "Finding items by words.",
        "windows.py": "When an item is open to somebody.",
    },
    "gateway": {
        "attesting.py": "What departments attest of citizens, and by which pseudonym.",
        "addresses.py": "Where a shop may live, and what its name leads to.",
        "breaker.py": "A shop's circuit breaker: pure, on its own.",
        "cache.py": "The last good answers of shops.",
        "callbacks.py": "What shops elsewhere send unasked: signed, fresh, taken once.",
        "calling.py": "One call of a shop from end to end, whatever it asks.",
        "facts.py": "What the platform says with a call, and what a host of shops is.",
        "gates.py": "The gates of all versions, opened and closed as they come and go.",
        "health.py": "How a version does, for the operators' board.",
        "hearing.py": "News that goes on to shops.",
        "logouts.py": "News of ended sessions on its way to clients, behind the address guard.",
        "outcomes.py": "What comes back from a shop, as one of our problems.",
        "platform.py": "What speaks for the platform to shops elsewhere: key, assertion, secret.",
        "rates.py": "How often a shop and each of its citizens may be called.",
        "raw.py": "Calls that are passed on as they are, before the framework.",
        "raw_caller.py": "The caller's side of a raw call.",
        "typed.py": "Plain typed calls, past the framework.",
        "remote.py": "Where a shop with an address of its own is called.",
        "doors.py": "Doors of times, sums, look-ups; `routes.py` has bills and progress.",
        "filling.py": "The verbs behind `doors.py`.",
        "gate.py": "How many calls of one shop run and wait.",
        "host.py": "The thread in which shops' code runs.",
        "telling.py": "How many events are told to one shop at once, so that one that hangs holds up no other.",
        "window.py": "Calls, faults and percentiles of the last minutes: pure, on its own.",
        "http1.py": "The client that calls remote shops.",
        "http1_connection.py": "One connection of it: every limit on what arrives.",
        "http1_errors.py": "What can go wrong on the way to a remote shop.",
        "http1_head.py": "What leaves: no way to smuggle a header.",
        "http1_pool.py": "How many connections, which next, when replaced.",
        "wire.py": "How a shop is called in this process.",
    },
    "identity": {
        "attributes": "Facts with source and date, life events; taking one's data along and leaving.",
        "known.py": "What counts of what is said about a citizen: pure.",
        "agreements": "What a citizen agreed that others may know, by claim and purpose, and the giving of it.",
        "acting.py": "Which right a door asks of who acts for somebody, and whether they have it.",
        "delegation": "Acting for a child, a relative, an enterprise: given, accepted, ended.",
        "audit": "What happened to a citizen's data and account: chained lines, and their check.",
        "browser.py": "Sessions in cookies, for the web rooms.",
        "connected.py": "What a city has connected for signing in, read before anything starts.",
        "devices.py": "Sessions, one for each device, and their refresh tokens.",
        "exchange": "Tokens for others and their end: mini-apps, introspection, revocation, userinfo, logout.",
        "guards.py": "Who may pass a door; every room uses them.",
        "narrow.py": "What stands in a mini-app's own token, and at which door it may be used.",
        "subjects.py": "What a shop knows a citizen by.",
        "federation": "Signing in through an OpenID Provider above the city.",
        "levels": "From a phone to a real name, a face, a counter; the authorities that vouch for them.",
        "objections": "What citizens don't agree with of who read their data, and the answers.",
        "outward.py": "How this room asks others: deadlines, caps, no redirects.",
        "reading": "Personal data opened by staff: with a reason, and with a second person.",
        "limits.py": "How often codes are sent to and tried from one device and network.",
        "senders.py": "Text messages over the city's gateway.",
        "settings.py": "Where that gateway is, from the environment.",
        "passkeys": "Passkeys of citizens and staff, and the script for the browser's dialog.",
        "keyring.py": "Generations of signing keys: the first, the next, what every process learns.",
        "passwords.py": "Hashing of staff's passwords, a few at a time.",
        "provider": "The OpenID Provider: shops' and partners' sign-in with an account of the city.",
        "people.py": "Accounts as stored and shown; `service.py` has signing in.",
        "sandbox.py": "The sandbox's register and staff.",
        "signing.py": "The keys that tokens are signed with.",
        "work.py": "What pages and commands do with staff's accounts.",
        "staff": "Those who work here: accounts, roles, sign-in with a second factor.",
        "tokens.py": "Issuing and checking access tokens.",
    },
    "payments": {
        "channels": "One module per payment channel behind one protocol.",
        "desk.py": "The verbs of staff; citizens' are in `service.py`.",
        "documents": "Receipts that anybody can verify, settlement statements, payouts.",
        "ledger": "The ledger's past: days closed, chained and signed; balances at any instant.",
        "mandates": "Bills that are debited by themselves: allowed, capped, announced, revocable.",
        "reconcile": "Channels' statements of a day against what we have.",
        "refunds": "Money on its way back: wished for, approved, sent, posted.",
        "scope.py": "What of a payer's orders somebody who acts at certain shops only may see.",
        "settlement.py": "What happens after the citizen has paid.",
        "tickets": "What needs an operator, with the day by which.",
    },
    "ratings": {
        "asks.py": "What comes in; what goes out is in `models.py`.",
        "deadlines.py": "Due dates by working days.",
        "desk.py": "The doors of staff; citizens' are in `routes.py`.",
        "handlers.py": "What happens when an event is heard.",
        "index.py": "The satisfaction index and its interval.",
        "levels.py": "The five levels of an assessment, as the standard names them.",
        "tickets.py": "The verbs of a rectification; `service.py` has rating.",
    },
    "releases": {"diff.py": "Two manifests side by side: what a release changes."},
    "shops": {"registry.py": "The shops of this process as they stand: who is called for whom."},
    "citizen_web": {"*.py": "Pages, one module for each thing that a citizen does."},
    "console": {"*.py": "Pages, one module for each thing that staff do."},
    "kernel": {
        "*.py": "No room but what rooms stand on: one module for each thing.",
        "embedded.sql": "Given to psql when the embedded server starts, before any pool.",
        "resealing.sql": "Templates for whatever tables have sealed columns; the names come from the rooms' lists.",
    },
}
"""Other modules of a room, each with what it is for; a web room has one per page."""


def text(path: Path) -> str:
    return path.read_text(errors="replace")


def readable() -> list[Path]:
    """Every text file of ours; pictures and fonts are not."""
    return [path for path in files() if b"\0" not in path.read_bytes()[:4096]]


def test_no_file_is_too_long() -> None:
    found = {short(path): text(path).count("\n") for path in files(*CODE)}
    assert len(found) > 100
    assert {name: lines for name, lines in found.items() if lines > LINES_MAX} == {}


def test_nothing_is_left_unfinished() -> None:
    found = {
        f"{short(path)}:{number}": line.strip()
        for path in files(*CODE, ".md", ".toml", ".json", ".yaml", ".yml", ".po")
        if short(path) not in UNFINISHED_BUT
        for number, line in enumerate(text(path).splitlines(), 1)
        if UNFINISHED.search(line)
    }
    assert found == {}


def test_no_path_of_somebodys_machine() -> None:
    found = {
        f"{short(path)}:{number}": line.strip()[:100]
        for path in readable()
        for number, line in enumerate(text(path).splitlines(), 1)
        if MACHINE.search(line)
    }
    assert found == {}


def test_what_is_installed_is_named_without_a_registry() -> None:
    """Where packages come from is the business of whoever installs them."""
    address = re.compile(r"https?://|--(?:extra-)?index-url|--find-links|--trusted-host|^-[if]\s")
    for path in sorted(ROOT.glob("requirements*")):
        found = [line for line in text(path).splitlines() if address.search(line)]
        assert found == [], path.name
        if path.suffix == ".lock":
            pinned = re.findall(r"^(\S+)==", text(path), re.MULTILINE)
            hashed = re.findall(r"^(\S+)==[^\n]*\\\n\s+--hash=sha256:", text(path), re.MULTILINE)
            assert pinned == hashed, "every package by hash"


def is_sql(value: object) -> bool:
    return isinstance(value, str) and SQL.match(value) is not None


def sql_in(path: Path) -> Iterator[str]:
    nodes = list(ast.walk(tree(path)))
    comments = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and id(node) not in comments and is_sql(node.value):
            yield f"{short(path)}:{node.lineno}: {str(node.value).strip()[:60]}"


def test_sql_lies_in_sql_files() -> None:
    found = [
        statement for path in program() if short(path) not in SQL_BUT for statement in sql_in(path)
    ]
    assert found == []


@pytest.mark.parametrize("exempt", [UNFINISHED_BUT, SQL_BUT], ids=["unfinished", "sql"])
def test_an_exemption_has_a_sentence_and_is_needed(exempt: dict[str, str]) -> None:
    for name, sentence in exempt.items():
        assert sentence.endswith(".")
        path = ROOT / name
        assert UNFINISHED.search(text(path)) if exempt is UNFINISHED_BUT else [*sql_in(path)]


def furniture(room: str) -> list[Path]:
    return sorted(p for p in (CITY / room).iterdir() if not p.name.startswith(("__pycache__", ".")))


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_the_furniture_of_every_room(room: str) -> None:
    own = OF_ITS_OWN.get(room, {})
    strange = [
        path.name
        for path in furniture(room)
        if path.name not in STANDARD and path.name not in own
        and not (path.suffix == ".py" and "*.py" in own)
    ]  # fmt: skip
    assert strange == [], f"{room}: name it in OF_ITS_OWN with what it is for"
    gone = [name for name in own if name != "*.py" and not (CITY / room / name).exists()]
    assert gone == []
    assert all(sentence.endswith(".") for sentence in own.values())


@pytest.mark.parametrize("room", ROOMS)
def test_furniture_belongs_together(room: str) -> None:
    """Statements need tables, problems need their Chinese, and a face says what the room is."""
    names = {path.name for path in furniture(room)}
    assert ast.get_docstring(tree(CITY / room / "__init__.py"))
    if "queries.sql" in names:
        assert "migrations" in names
    if "errors.py" in names:
        assert (CITY / room / "locale" / "zh.po").is_file()
    if "routes.py" in names and room != "kernel":
        face: Any = __import__(f"civicmall.{room}", fromlist=["routers"])
        assert face.routers


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        short(path)
        for path in program()
        if ast.get_docstring(tree(path)) is None and path.read_text().strip()
    ]
    assert silent == []


def test_a_shop_is_a_folder_that_can_be_deleted() -> None:
    """Nothing outside plugins/ and the tests of shops imports one."""
    shops = {path.parent.name for path in PLUGINS.glob("*/shop.json")}
    assert shops
    for path in program():
        if not path.is_relative_to(PLUGINS):
            named = {
                name.partition(".")[0]
                for node in ast.walk(tree(path))
                for name in (
                    [alias.name for alias in node.names] if isinstance(node, ast.Import)
                    else [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level
                    else []
                )
            }  # fmt: skip
            assert not named & shops, short(path)
