"""Reading the catalogue's content files. Whatever is wrong in one is named by file, entry and path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from .errors import BadContent
from .law import LawFigure
from .models import Attribute, Item, Stage, StageDef, Text

FOLDER: Final = Path(__file__).with_name("content")
FILE_MAX: Final = 1024 * 1024
"""Bytes; a file of content is a few hundred lines."""
T = TypeVar("T")
_AT: Final = re.compile(
    r"^(?P<problem>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`)?$", re.DOTALL
)


class Written(Struct, frozen=True):
    """An item and the file that it was written in."""

    file: str
    item: Item


class Content(Struct, frozen=True):
    """Everything the content folder says, each entry of the right shape."""

    law: dict[str, LawFigure]
    attributes: dict[str, Attribute]
    departments: dict[str, Text]
    kinds: dict[str, Text]
    events: dict[str, Text]
    stages: dict[Stage, StageDef]
    items: list[Written]


def read(folder: Path = FOLDER) -> Content:
    """The whole folder. Raises BadContent."""
    words = _mapping(folder / "words.yaml", dict[str, Text])
    return Content(
        law=_mapping(folder / "law.yaml", LawFigure),
        attributes=_mapping(folder / "attributes.yaml", Attribute),
        departments=_mapping(folder / "departments.yaml", Text),
        kinds=words.get("kinds", {}),
        events=words.get("events", {}),
        stages=_stages(folder / "stages.yaml"),
        items=list(_items(folder / "items")),
    )


def convert(file: str, entry: str, raw: Any, kind: Any) -> Any:
    """`raw` as `kind`. Raises BadContent."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        said = _AT.match(str(error))
        path = (said and said["path"]) or "$"
        raise BadContent(file, entry, path, said["problem"] if said else str(error)) from error


def _decode(path: Path) -> Any:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadContent(path.name, "$", "$", error.strerror or "can't be read") from error
    if len(raw) > FILE_MAX:
        raise BadContent(path.name, "$", "$", f"larger than {FILE_MAX} bytes")
    try:
        return msgspec.yaml.decode(raw)
    except msgspec.DecodeError as error:
        raise BadContent(path.name, "$", "$", f"no YAML: {error}") from error


def _mapping(path: Path, kind: type[T] | Any) -> dict[str, T]:
    entries: dict[Any, Any] = convert(path.name, "$", _decode(path), dict[Any, Any])
    return {str(n): convert(path.name, str(n), entry, kind) for n, entry in entries.items()}


def _stages(path: Path) -> dict[Stage, StageDef]:
    known: dict[str, StageDef] = _mapping(path, StageDef)
    stages: dict[Stage, StageDef] = convert(path.name, "$", known, dict[Stage, StageDef])
    return stages


def _items(folder: Path) -> Iterator[Written]:
    seen: dict[str, str] = {}
    for path in sorted(folder.glob("*.yaml")):
        file = f"items/{path.name}"
        entries: list[dict[str, Any]] = convert(file, "$", _decode(path), list[dict[str, Any]])
        for position, entry in enumerate(entries):
            name = str(entry.get("code") or f"[{position}]")
            item: Item = convert(file, name, entry, Item)
            if item.code in seen:
                raise BadContent(file, item.code, "code", f"stands also in {seen[item.code]}")
            seen[item.code] = file
            yield Written(file, item)
