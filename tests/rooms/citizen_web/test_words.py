"""No page says anything in one language only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from civicmall import citizen_web
from civicmall.citizen_web import happened, rules, words
from civicmall.kernel import i18n

ROOM = Path(citizen_web.__file__).parent


def said_in_templates() -> Iterator[tuple[str, str]]:
    """Every constant that a template hands to `t`; what isn't one comes from words.py."""
    env = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=True)
    for path in sorted((ROOM / "templates").glob("*.html")):
        for call in env.parse(path.read_text()).find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "t":
                asked = call.args[0]
                found = [asked] if isinstance(asked, nodes.Const) else asked.find_all(nodes.Const)
                for const in found:
                    if isinstance(const.value, str):
                        yield path.name, const.value


def said_in_code() -> Iterator[tuple[str, str]]:
    """Every constant that a module hands to `Reader.t`."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                first = node.args[0] if node.args else None
                if node.func.attr == "t" and isinstance(first, ast.Constant):
                    yield path.name, str(first.value)


def said_in_words() -> Iterator[tuple[str, str]]:
    """Every value of words.py, and of what happened.py says of the log, that isn't a tone."""
    tones = {"calm", "good", "warn", "bad"}

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, words.State):
            yield from (value.name, value.means)
        elif isinstance(value, dict):
            yield from texts(tuple(cast("dict[Any, Any]", value).values()))
        elif isinstance(value, tuple):
            for one in cast("tuple[Any, ...]", value):
                yield from texts(one)

    for module in (words, happened):
        for name, value in vars(module).items():
            if name.isupper() and (module is words or isinstance(value, dict)):
                where = f"{module.__name__.rpartition('.')[2]}.py"
                yield from ((where, text) for text in texts(value) if text not in tones)


def test_everything_has_a_chinese_text() -> None:
    known = i18n.catalogue()
    said = [*said_in_templates(), *said_in_code(), *said_in_words()]
    said += [("rules.py", rules.greeting(hour)) for hour in range(24)]
    assert len(said) > 300
    assert {(where, text) for where, text in said if text not in known} == set()


def test_nothing_is_translated_that_nobody_says() -> None:
    said = {text for _, text in [*said_in_templates(), *said_in_code(), *said_in_words()]}
    said |= {rules.greeting(hour) for hour in range(24)}
    said |= {"Write your name, and the 18 characters of your ID number."}
    with (ROOM / "locale" / "zh.po").open("rb") as file:
        mine = {str(message.id) for message in read_po(file) if message.id}
    assert mine - said == set()


def test_no_two_rooms_translate_one_message_differently() -> None:
    """The catalogues are one map; what another room says must not change our pages."""
    seen: dict[str, dict[str, str]] = {}
    for path in sorted(i18n.ROOMS.glob("*/locale/zh.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if isinstance(message.id, str) and message.id:
                    seen.setdefault(message.id, {})[path.parts[-3]] = str(message.string)
    ours = {text: by for text, by in seen.items() if "citizen_web" in by}
    assert {text: by for text, by in ours.items() if len(set(by.values())) > 1} == {}


def test_placeholders_agree() -> None:
    for english, chinese in i18n.catalogue().items():
        fields = sorted(part.partition("}")[0] for part in english.split("{")[1:])
        theirs = sorted(part.partition("}")[0] for part in chinese.split("{")[1:])
        assert fields == theirs, english
