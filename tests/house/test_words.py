"""Nothing is said in one language only: every message of the program is in a room's catalogue."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import jinja2
import yaml
from babel.messages.pofile import read_po
from jinja2 import nodes
from tests.house.house import CITY, ROOMS, files, short, tree

from civicmall import app
from civicmall.kernel.errors import Problem

assert app, "importing it imports every room, and with them every problem"
MODULES: Final = [path for path in files(".py") if path.is_relative_to(CITY)]


def subclasses(of: type) -> Iterator[Any]:
    for kind in of.__subclasses__():
        yield kind
        yield from subclasses(kind)


def titles() -> Iterator[tuple[str, str]]:
    """What each problem is called."""
    for kind in subclasses(Problem):
        if kind.__module__.startswith("civicmall."):
            yield kind.title, f"{kind.__module__}.{kind.__name__}"


def speakers() -> dict[str, int]:
    """Functions that take a message, and at which place: `translate` and all with a `msgid`."""
    found: dict[str, int] = {}
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names = [arg.arg for arg in node.args.args if arg.arg not in {"self", "cls"}]
                if "msgid" in names:
                    found[node.name] = names.index("msgid")
    return found


def strings(value: object) -> Iterator[str]:
    """Every string in a table of messages; keys are codes, not messages."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in cast("dict[Any, Any]", value).values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in cast("list[Any]", value):
            yield from strings(part)


def module(path: Path) -> Any:
    return importlib.import_module(".".join(path.relative_to(CITY.parent).with_suffix("").parts))


def called() -> Iterator[tuple[str, str]]:
    """Messages given to such functions: written there, or kept in a constant of the module."""
    known = speakers()
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if name not in known or len(node.args) <= known[name]:
                continue
            said = node.args[known[name]]
            said = said.value if isinstance(said, ast.Subscript) else said
            if isinstance(said, ast.Constant):
                yield str(said.value), short(path)
            elif isinstance(said, ast.Name):
                for text in strings(getattr(module(path), said.id, None)):
                    yield text, short(path)


def on_pages() -> Iterator[tuple[str, str]]:
    """`t("…")` in templates, also where one of two messages is chosen."""
    environment = jinja2.Environment(autoescape=True)
    for path in files(".html"):
        if not path.is_relative_to(CITY):
            continue
        for call in environment.parse(path.read_text(), path.name, str(path)).find_all(nodes.Call):
            if not (isinstance(call.node, nodes.Name) and call.node.name == "t" and call.args):
                continue
            said = call.args[0]
            chosen = [said.expr1, said.expr2] if isinstance(said, nodes.CondExpr) else [said]
            for one in chosen:
                if isinstance(one, nodes.Const):
                    yield str(one.value), short(path)


def in_tables() -> Iterator[tuple[str, str]]:
    """A room's `words.py` holds messages by code; what begins with a capital is one."""
    for path in CITY.glob("*/words.py"):
        constants: dict[str, object] = module(path).__dict__
        for name, value in constants.items():
            if name.isupper():
                for said in strings(value):
                    if said[:1].isupper() and said.isascii():
                        yield said, short(path)


def catalogues() -> dict[str, dict[str, str]]:
    """Room → English → Chinese."""
    found: dict[str, dict[str, str]] = {}
    for path in CITY.glob("*/locale/zh.po"):
        with path.open("rb") as file:
            found[path.parent.parent.name] = {
                str(m.id): str(m.string) for m in read_po(file, locale="zh_CN") if m.id
            }
    return found


def test_everything_said_is_said_in_chinese_too() -> None:
    known = {msgid for room in catalogues().values() for msgid, said in room.items() if said}
    said = dict([*titles(), *called(), *on_pages(), *in_tables()])
    assert len(said) > 50
    missing = [f"{where}: {text}" for text, where in sorted(said.items()) if text not in known]
    assert missing == []


def test_a_translation_keeps_its_blanks() -> None:
    """What is filled into the English is filled into the Chinese."""
    blanks = re.compile(r"\{(\w+)")
    lost = [
        (room, msgid)
        for room, catalogue in catalogues().items()
        for msgid, said in catalogue.items()
        if set(blanks.findall(msgid)) != set(blanks.findall(said))
    ]
    assert lost == []


def test_one_message_has_one_translation() -> None:
    """Catalogues of all rooms are read as one."""
    found: dict[str, set[str]] = {}
    for catalogue in catalogues().values():
        for msgid, said in catalogue.items():
            found.setdefault(msgid, set()).add(said)
    assert {msgid: said for msgid, said in found.items() if len(said) > 1} == {}
    assert set(catalogues()) <= set(ROOMS)


def chinese() -> Iterator[tuple[str, str]]:
    """Every Chinese text of the catalogues and the content, and where it stands."""
    for path in sorted(CITY.glob("*/locale/zh.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                yield f"{path.parent.parent.name}/zh.po", str(message.string)
    for path in sorted(CITY.glob("*/content/**/*.yaml")):
        for said in _texts(yaml.safe_load(path.read_text())):
            yield path.name, said


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in cast("dict[str, Any]", data).items():
            if key == "zh-CN" and isinstance(value, str):
                yield value
            else:
                yield from _texts(value)
    elif isinstance(data, list):
        for value in cast("list[Any]", data):
            yield from _texts(value)


def test_chinese_has_chinese_punctuation() -> None:
    """GB/T 15834: marks after a Chinese character are full-width."""
    half = re.compile(r"[\u4e00-\u9fff][,;:!?(]")
    assert [where_said for where_said in chinese() if half.search(where_said[1])] == []
