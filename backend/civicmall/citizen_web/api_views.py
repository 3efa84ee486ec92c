"""An OpenAPI document as a reader of it thinks: groups, calls, answers, nouns. Pure."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from msgspec import Struct

METHODS: Final = ("get", "post", "put", "patch", "delete")
PAGE_OF: Final = re.compile(r"^Page_(?:.*\.)?(\w+?)_$")
PROBLEM: Final = re.compile(r"(?P<title>[^;(]*?) \((?P<type>/problems/[\w-]+)\)")
LIMITS: Final = {
    "minimum": "≥ {}", "maximum": "≤ {}", "minLength": "{} characters or more",
    "maxLength": "{} characters at most", "minItems": "{} items or more",
    "maxItems": "{} items at most", "pattern": "like {}", "default": "default {}",
}  # fmt: skip
Node = dict[str, Any]


class Piece(Struct, frozen=True):
    """A part of a type's name; with a link where it is one of the document's nouns."""

    text: str
    noun: str = ""


class Field(Struct, frozen=True):
    """A parameter, or a member of a noun."""

    name: str
    place: str
    type: list[Piece]
    required: bool
    notes: str


class Problem(Struct, frozen=True):
    """One refusal."""

    title: str
    type: str


class Answer(Struct, frozen=True):
    """One status: what it carries, or why it is given."""

    status: str
    type: list[Piece]
    problems: list[Problem]


class Call(Struct, frozen=True):
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    caller: str
    parameters: list[Field]
    body: list[Piece]
    answers: list[Answer]


class Group(Struct, frozen=True):
    """The calls of one tag."""

    name: str
    description: str
    calls: list[Call]


class Noun(Struct, frozen=True):
    """One named schema."""

    name: str
    title: str
    description: str
    fields: list[Field]


class Reference(Struct, frozen=True):
    """The whole document."""

    title: str
    version: str
    summary: str
    groups: list[Group]
    nouns: list[Noun]


def reference(document: Node) -> Reference:
    """Read a document; what it doesn't say is left empty."""
    calls: dict[str, list[Call]] = {}
    for path, methods in document.get("paths", {}).items():
        for method in METHODS:
            if method in methods:
                operation: Node = methods[method]
                for tag in operation.get("tags") or ["other"]:
                    calls.setdefault(tag, []).append(_call(path, method, operation))
    tags: dict[str, str] = {t["name"]: t.get("description", "") for t in document.get("tags", [])}
    order = [*tags, *sorted(calls.keys() - tags.keys())]
    schemas: dict[str, Node] = document.get("components", {}).get("schemas", {})
    info: Node = document["info"]
    return Reference(
        title=info["title"],
        version=info["version"],
        summary=info.get("summary", ""),
        groups=[Group(tag, tags.get(tag, ""), calls[tag]) for tag in order if tag in calls],
        nouns=[_noun(name, schemas[name]) for name in sorted(schemas)],
    )


def _call(path: str, method: str, operation: Node) -> Call:
    security: list[dict[str, Any]] = operation.get("security") or []
    return Call(
        id=operation.get("operationId", f"{method}{path}"),
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        caller=", ".join(name for one in security for name in one),
        parameters=[
            _parameter(one) for one in cast("list[Node]", operation.get("parameters") or [])
        ],
        body=_content(operation.get("requestBody") or {}),
        answers=[
            _answer(status, said)
            for status, said in sorted(cast("Node", operation.get("responses", {})).items())
        ],
    )


def _parameter(one: Node) -> Field:
    schema: Node = one.get("schema", {})
    notes = [one.get("description") or "", *_limits(schema)]
    return Field(
        one["name"], one["in"], kind(schema), bool(one.get("required")),
        "; ".join(note for note in notes if note),
    )  # fmt: skip


def _answer(status: str, said: Node) -> Answer:
    found = [
        Problem(m["title"].strip(), m["type"])
        for m in PROBLEM.finditer(said.get("description", ""))
    ]
    return Answer(status, [] if found else _content(said), found)


def _content(part: Node) -> list[Piece]:
    for media, content in cast("Node", part.get("content") or {}).items():
        pieces = kind(content.get("schema", {}))
        return pieces if media == "application/json" else [*pieces, Piece(f" ({media})")]
    return []


def _noun(name: str, schema: Node) -> Noun:
    required: set[str] = set(schema.get("required") or ())
    fields = [
        Field(
            member, "", kind(said), member in required,
            "; ".join(n for n in [said.get("description") or "", *_limits(said)] if n),
        )
        for member, said in cast("dict[str, Node]", schema.get("properties") or {}).items()
    ]  # fmt: skip
    return Noun(name, title(name), schema.get("description") or "", fields)


def title(name: str) -> str:
    """A noun's name for people: pages of a list say of what."""
    match = PAGE_OF.match(name)
    return f"Page of {match[1]}" if match else name


def kind(schema: Node) -> list[Piece]:
    """A schema's type in words: "array of Bill", "string (date) or null"."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return [Piece(title(name), name)]
    for joint in ("oneOf", "anyOf"):
        if joint in schema:
            pieces: list[Piece] = []
            for part in cast("list[Node]", schema[joint]):
                pieces += [Piece(" or "), *kind(part)] if pieces else kind(part)
            return pieces
    if values := schema.get("enum") or [v for v in [schema.get("const")] if v is not None]:
        return [Piece(" | ".join(str(value) for value in values))]
    return _plain(schema)


def _plain(schema: Node) -> list[Piece]:
    name = str(schema.get("type", "any"))
    if name == "array":
        return [Piece("array of "), *kind(schema.get("items") or {})]
    if name == "object" and isinstance(schema.get("additionalProperties"), dict):
        return [Piece("map of "), *kind(schema["additionalProperties"])]
    shape = schema.get("format")
    return [Piece(f"{name} ({shape})" if shape else name)]


def _limits(schema: Node) -> list[str]:
    found: list[str] = []
    for key, words in LIMITS.items():
        value = schema.get(key)
        if value is not None and value != "":
            whole = isinstance(value, float) and value.is_integer()
            found.append(words.format(int(value) if whole else value))
    return found
