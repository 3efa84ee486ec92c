"""From a form's schema to fields on a page, and from what was typed back to values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from civicmall.kernel import i18n, money
from shopkit.contract import ApplyForm, Prefill
from shopkit.forms import Field, Form

Input = Literal["text", "long", "number", "money", "date", "check", "radio", "select"]
YUAN: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?")
WHOLE: Final = re.compile(r"-?\d{1,15}")
LONG: Final = 120
"""Characters from which a text gets several lines."""
RADIOS_MAX: Final = 6
"""Choices that are shown one below the other; more go into a list."""
PREFIX: Final = "f_"
"""Before a field's name in what a browser sends, so that no shop's field is mistaken for ours."""


class Drawn(Struct, frozen=True):
    """One field as a page shows it. `value` is what stands in it, as the citizen reads it."""

    name: str
    label: str
    help: str
    input: Input
    value: str
    required: bool
    options: list[tuple[str, str]] = []
    source: str = ""
    """Where the value comes from that was filled in already."""
    limits: str = ""
    """Example or bounds, in a few words of figures."""
    max_length: int | None = None
    error: str = ""


class Paper(Struct, frozen=True):
    """One material as a page asks for it. `kept` is a file that was handed in already."""

    code: str
    name: str
    note: str
    accept: str
    required: bool
    kept: str = ""
    error: str = ""


def fields(
    form: Form,
    lang: str,
    *,
    known: Mapping[str, Prefill] | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    optional: bool = False,
) -> list[Drawn]:
    """A form's fields in its order. What was `typed` stays; else stands what is known."""
    found: list[Drawn] = []
    for name, field in form.properties.items():
        prefill = (known or {}).get(name)
        value = shown(field, prefill.value if prefill else field.default)
        source = i18n.pick(prefill.source, lang) if prefill else ""
        if typed is not None:
            source = source if typed.get(name, "") == value else ""
            value = typed.get(name, "")
        elif optional:
            value, source = "", ""
        found.append(
            Drawn(
                name=name,
                label=i18n.pick(field.label, lang),
                help=i18n.pick(field.help, lang) if field.help else "",
                input=_input(field),
                value=value,
                required=name in form.required and not optional,
                options=[
                    (str(one), i18n.pick((field.labels or {}).get(str(one), {}), lang) or str(one))
                    for one in field.enum or []
                ],
                source=source,
                limits=_limits(field),
                max_length=field.max_length,
                error=(errors or {}).get(name, ""),
            )
        )
    return found


def _input(field: Field) -> Input:
    if field.enum:
        return "radio" if len(field.enum) <= RADIOS_MAX else "select"
    if field.type == "boolean":
        return "check"
    if field.type == "integer":
        return "money" if field.kind == "money" else "number"
    if field.format == "date":
        return "date"
    return "long" if (field.max_length or 0) > LONG else "text"


def _limits(field: Field) -> str:
    if field.type != "integer" or field.enum or (field.minimum is None and field.maximum is None):
        return ""
    low, high = (
        shown(field, bound).removesuffix(".00") for bound in (field.minimum, field.maximum)
    )
    return f"{low}–{high}" if low and high else (f"≥ {low}" if low else f"≤ {high}")


def shown(field: Field, value: Any) -> str:
    """A value as it stands in its field; money in yuan."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else ""
    if field.kind == "money" and isinstance(value, int):
        return money.yuan(value).replace(",", "")
    return str(value)


def values(form: Form, typed: Mapping[str, str], *, optional: bool = False) -> dict[str, Any]:
    """What was typed as the form's values; what can't be one stays a text, for the check to name.

    An empty field is left out. A box that isn't ticked is a no, unless the field may be left out.
    """
    found: dict[str, Any] = {}
    for name, field in form.properties.items():
        said = typed.get(name, "").strip()
        if field.type == "boolean" and not field.enum:
            if said or (name in form.required and not optional):
                found[name] = said == "true"
        elif said:
            found[name] = _value(field, said)
    return found


def _value(field: Field, said: str) -> Any:
    if field.enum:
        return next((one for one in field.enum if str(one) == said), said)
    if field.type != "integer":
        return said
    plain = said.replace(",", "").replace("，", "").removeprefix("¥").strip()
    if field.kind == "money":
        yuan = YUAN.fullmatch(plain) if plain.isascii() else None
        return int(yuan[1]) * 100 + int((yuan[2] or "").ljust(2, "0")) if yuan else said
    return int(plain) if plain.isascii() and WHOLE.fullmatch(plain) else said


def typed(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields among what a browser sent."""
    return {
        name.removeprefix(PREFIX): said.replace("\r\n", "\n").replace("\x00", "")
        for name, said in pairs
        if name.startswith(PREFIX)
    }


def papers(
    form: ApplyForm,
    lang: str,
    *,
    kept: Mapping[str, str],
    errors: Mapping[str, str],
    optional: bool = False,
) -> list[Paper]:
    """A form's materials, with what was handed in already."""
    return [
        Paper(
            code=one.code,
            name=i18n.pick(one.name, lang),
            note=i18n.pick(one.note, lang) if one.note else "",
            accept=",".join(one.media),
            required=one.required and not optional,
            kept=kept.get(one.code, ""),
            error=errors.get(f"materials.{one.code}", ""),
        )
        for one in form.materials
    ]


def fault(field: Field | None, problem: str) -> tuple[str, dict[str, str]]:
    """What to tell about a value that doesn't fit: a name of words.WRONG and what goes into it."""
    if problem == "required":
        return "required", {}
    if field is None or field.enum or field.type == "boolean":
        return "choice", {}
    if field.type == "integer":
        limits = _limits(field)
        return ("between", {"limits": limits}) if limits else ("number", {})
    example = {"example": str(field.example)}
    if field.format == "date":
        return "day", example
    if field.max_length and "longer" in problem:
        return "long", {"n": str(field.max_length)}
    return "pattern", example


def paper_fault(problem: str) -> str:
    """The same about a file."""
    if problem == "required":
        return "file"
    return "kind" if problem.startswith("not one of") else "again"
