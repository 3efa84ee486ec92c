"""Forms: whatever a shop writes into one, and whatever is filled in, checking it stays cheap."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from tests.patience import STALL_S

from shopkit.forms import FIELDS_MAX, TEXT_MAX, WHOLE_MAX, Form, faults, wrong

LONG_S = STALL_S
"""A hundred times what the largest honest form takes; the patterns below took three seconds."""


def form(fields: dict[str, dict[str, Any]], required: tuple[str, ...] = ()) -> Form:
    said = {
        "type": "object",
        "properties": {
            name: {"x-label": {"zh-CN": "某项"}, "x-example": "a", **field}
            for name, field in fields.items()
        },
        "required": list(required),
    }
    return msgspec.convert(said, Form)


def took_s(work: Any, *asked: Any) -> float:
    began = time.perf_counter()
    work(*asked)
    return time.perf_counter() - began


@pytest.mark.parametrize(
    "pattern",
    [r"(\pL|\pN|\pS|\pP){200}|%d|a", r"((a{99}){99}){9}|%d|a", r"\pL{1000}|%d|a", r"(?i)\pL{90}|%d|a"],
    ids=["classes", "nested", "letters", "caseless"],
)  # fmt: skip
def test_patterns_too_large_to_keep_are_a_fault_of_the_form_and_cost_nothing(pattern: str) -> None:
    huge = form(
        {f"f{n}": {"type": "string", "pattern": pattern % n} for n in range(FIELDS_MAX)},
    )
    assert took_s(faults, huge) < LONG_S
    found = faults(huge)
    assert found[0].field == "$"
    assert "regex" in found[0].problem


@pytest.mark.parametrize(
    "pattern", [r"^(a*)*\1b$", r"(a|aa)+(?!a)b", r"^(?=(a+)+b)"], ids=["refers", "not", "ahead"]
)
def test_patterns_that_go_back_over_the_text_are_a_fault(pattern: str) -> None:
    assert "regex" in faults(form({"f": {"type": "string", "pattern": pattern}}))[0].problem


def test_matching_takes_no_longer_for_a_pattern_that_is_unkind() -> None:
    unkind = form({f"f{n}": {"type": "string", "pattern": r"^(a|aa)+$"} for n in range(FIELDS_MAX)})
    values = {f"f{n}": "a" * (TEXT_MAX - 1) + "!" for n in range(FIELDS_MAX)}
    assert took_s(wrong, unkind, values) < LONG_S
    assert len(wrong(unkind, values)) == FIELDS_MAX


def test_sixty_fields_as_departments_write_them_are_sound() -> None:
    usual = [
        r"^\d{17}[\dXx]$", r"^1[3-9]\d{9}$", r"^[\p{Han}·]{2,30}$", r"^[0-9A-Z]{18}$",
        r"^20[0-9]{2}-(0[1-9]|1[0-2])$", r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$",
    ]  # fmt: skip
    examples = ["11010519900101123X", "13800000000", "李晓明", "91110000MA01ABCD5X", "2026-11", "a@b.cn"]  # fmt: skip
    fields = {
        f"f{n}": {"type": "string", "pattern": usual[n % 6], "x-example": examples[n % 6]}
        for n in range(FIELDS_MAX)
    }
    assert faults(form(fields)) == []


@pytest.mark.parametrize(
    "value",
    ["a\0b", "a\ud800", 2**53, -(2**53), 10**400, 1.0, 1e308, float("nan"), [1], {"a": 1}],
    ids=["nul", "half", "large", "small", "huge", "float", "infinite", "nan", "list", "object"],
)
@pytest.mark.parametrize("kind", ["string", "integer"])
def test_what_no_shop_could_keep_never_reaches_one(kind: str, value: Any) -> None:
    example: Any = "a" if kind == "string" else 1
    asked = form({"f": {"type": kind, "x-example": example}}, ("f",))
    assert [one.field for one in wrong(asked, {"f": value})] == ["f"]


def test_a_value_nested_deeper_than_anybody_reads_is_only_wrong() -> None:
    deep: Any = []
    for _ in range(900):
        deep = [deep]
    assert [one.field for one in wrong(form({"f": {"type": "string"}}), {"f": deep})] == ["f"]


def test_texts_and_numbers_up_to_their_limits_fit() -> None:
    asked = form({"s": {"type": "string"}, "i": {"type": "integer", "x-example": 1}})
    assert wrong(asked, {"s": "好" * TEXT_MAX, "i": WHOLE_MAX}) == []
    assert wrong(asked, {"s": "一\n二\t三", "i": -WHOLE_MAX}) == []
    assert [one.field for one in wrong(asked, {"s": "好" * (TEXT_MAX + 1)})] == ["s"]


def test_a_flood_of_unknown_fields_is_one_fault() -> None:
    asked = form({"f": {"type": "string"}})
    values = {f"x{n}": "a" for n in range(100_000)}
    assert [one.field for one in wrong(asked, values)] == ["$"]
    assert [one.field for one in wrong(asked, {"x": "a"})] == ["x"]
