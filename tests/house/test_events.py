"""Nothing is left lying: each event is heard, each job is started, each migration has its number."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from msgspec import Struct
from tests.city import City
from tests.house.house import CITY, PLUGINS, ROOMS, program, short, tree

from civicmall import app

UNHEARD: Final[dict[str, str]] = {}
"""Events that nobody here listens to, each with the reason for which it is told all the same."""
NUMBERED: Final = re.compile(r"^(\d{4})_[a-z][a-z0-9_]*\.sql$")
assert app, "importing it imports every room, and with them every event"


def events(of: type[Struct] = Struct) -> Iterator[type[Struct]]:
    for kind in of.__subclasses__():
        if kind.__module__.startswith("civicmall.") and "." in str(kind.__struct_config__.tag):
            yield kind
        yield from events(kind)


EVENTS: Final = sorted(set(events()), key=lambda kind: str(kind.__struct_config__.tag))


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_an_event_is_called_after_its_room_and_itself(kind: type[Struct]) -> None:
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    room = kind.__module__.split(".")[1]
    assert kind.__struct_config__.tag == f"{room}.{snake}"
    assert kind.__struct_config__.tag_field == "type"
    assert kind.__struct_config__.frozen
    assert kind.__module__ == f"civicmall.{room}.events"
    assert kind.__doc__, "what has happened"


async def test_every_event_is_heard(city: City) -> None:
    told = {str(kind.__struct_config__.tag) for kind in EVENTS}
    heard = city.parts.handlers.types()
    assert told, "there are events"
    assert told - heard == UNHEARD.keys()
    assert heard <= told, "nobody listens to what nobody tells"
    assert all(sentence.endswith(".") for sentence in UNHEARD.values())


def jobs() -> dict[str, str]:
    """The jobs that are written down anywhere in the rooms, by name, and where."""
    return {
        str(node.args[0].value): short(path)
        for path in program()
        if path.is_relative_to(CITY)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") == "Job" or getattr(node.func, "attr", "") == "Job")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


async def test_every_job_is_started(city: City) -> None:
    running = {task.get_name() for task in asyncio.all_tasks()}
    found = jobs()
    assert found, "there are jobs"
    assert {name: where for name, where in found.items() if name not in running} == {}
    assert "outbox" in running
    assert {job.name for job in city.parts.jobs} == found.keys()


@pytest.mark.parametrize("name", sorted(jobs()))
def test_a_job_is_called_after_its_room(name: str) -> None:
    room, _, work = name.partition(".")
    assert room in ROOMS
    assert jobs()[name].split("/")[2] == room
    assert work


FOLDERS: Final = sorted(
    path for path in [*CITY.glob("*/migrations"), *PLUGINS.glob("*/migrations")] if path.is_dir()
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_migrations_are_numbered_without_gaps(folder: Path) -> None:
    found = sorted(path.name for path in folder.iterdir() if not path.name.startswith("_"))
    numbers = [int(match[1]) for name in found if (match := NUMBERED.match(name))]
    assert numbers == list(range(1, len(found) + 1))
    assert found[0] == f"0001_{folder.parent.name}.sql"
