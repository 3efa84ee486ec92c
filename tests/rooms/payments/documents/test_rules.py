"""Codes, capitals, masks and cells: rules without a city."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from civicmall.kernel.crypto import Keys, generate
from civicmall.payments.documents import CodeForged, CodeMistyped, codes, rules, statement_csv
from civicmall.payments.documents.capitals import DIGITS, LIMIT, capitals
from civicmall.payments.documents.errors import BadPeriod

KEYS, OTHERS = Keys(generate()), Keys(generate())
ORDERS = st.uuids()
PAID = st.integers(1_600_000_000, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))
LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
UNITS = {"仟": 1000, "佰": 100, "拾": 10}


@given(ORDERS)
def test_a_code_leads_back_however_it_is_typed(order_id: UUID) -> None:
    code = codes.code(KEYS, order_id)
    assert len(code) == codes.LENGTH
    printed = codes.grouped(code)
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){7}", printed)
    careless = printed.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    for typed in (code, printed, careless, f" {printed} "):
        assert codes.order_of(KEYS, typed) == order_id


@given(ORDERS, st.integers(0, codes.LENGTH - 1), st.sampled_from(LETTERS))
def test_one_wrong_character_is_a_typing_error(order_id: UUID, at: int, letter: str) -> None:
    code = codes.code(KEYS, order_id)
    assume(code[at] != letter)
    with pytest.raises(CodeMistyped):
        codes.order_of(KEYS, code[:at] + letter + code[at + 1 :])


@given(ORDERS, st.integers(0, codes.LENGTH - 2))
def test_two_characters_that_changed_places_are_one_too(order_id: UUID, at: int) -> None:
    code = codes.code(KEYS, order_id)
    assume(code[at] != code[at + 1])
    with pytest.raises(CodeMistyped):
        codes.order_of(KEYS, code[:at] + code[at + 1] + code[at] + code[at + 2 :])


@given(st.text(max_size=200))
def test_any_text_is_refused_by_name(text: str) -> None:
    with pytest.raises((CodeMistyped, CodeForged)):
        codes.order_of(KEYS, text)


@given(ORDERS, ORDERS)
def test_another_keys_code_is_forged_and_no_part_can_be_moved(one: UUID, other: UUID) -> None:
    with pytest.raises(CodeForged):
        codes.order_of(KEYS, codes.code(OTHERS, one))
    assume(one != other)
    raw = {order: codes.raw(codes.code(KEYS, order)) for order in (one, other)}
    mixed = raw[one][: codes.ID] + raw[other][codes.ID : -codes.CHECK]
    with pytest.raises(CodeForged):
        codes.order_of(KEYS, codes.written(mixed + codes.check_part(mixed)))


@given(ORDERS, PAID)
def test_a_number_is_the_orders_alone_and_tells_nothing_of_the_code(
    order_id: UUID, paid_at: datetime
) -> None:
    number = codes.number(order_id, paid_at)
    assert number == codes.number(order_id, paid_at)
    assert re.fullmatch(r"\d{8}-[0-9A-Z]{8}-[0-9A-Z]{8}", number)
    assert number[9:17] not in codes.code(KEYS, order_id)


def read(said: str) -> int:
    """Capitals → 分; written from the reader's side, knows nothing of how they are made."""
    body = said.removeprefix("人民币").removesuffix("整")
    whole, mark, rest = body.partition("元")
    if not mark:
        whole, rest = "", body
    found = 0
    for size, name in ((10, "角"), (1, "分")):
        before, mark, after = rest.partition(name)
        if mark:
            found += DIGITS.index(before.lstrip("零")) * size
            rest = after
    assert rest == ""
    return number(whole) * 100 + found


def number(text: str) -> int:
    for name, size in (("亿", 10**8), ("万", 10**4)):
        high, mark, low = text.rpartition(name)
        if mark:
            return number(high) * size + number(low)
    total, digit = 0, 0
    for character in text:
        if character in UNITS:
            total, digit = total + digit * UNITS[character], 0
        else:
            digit = DIGITS.index(character)
    return total + digit


@given(
    st.one_of(
        st.integers(0, LIMIT * 100 - 1),
        st.integers(0, 10**9),
        st.lists(st.sampled_from("0012"), min_size=1, max_size=18).map(lambda d: int("".join(d))),
    )
)
def test_capitals_say_the_amount(minor: int) -> None:
    said = capitals(minor)
    assert said.startswith("人民币")
    assert read(said) == minor
    assert "零零" not in said
    assert not re.search(r"零[元万亿角分拾佰仟]", said.replace("人民币零元整", ""))
    assert said.endswith("整") == (minor % 10 == 0)
    assert not re.search(r"(?<![壹贰叁肆伍陆柒捌玖])[拾佰仟]", said)


@pytest.mark.parametrize(
    ("minor", "said"),
    [
        (0, "人民币零元整"),
        (1, "人民币壹分"),
        (10, "人民币壹角整"),
        (1_409_50, "人民币壹仟肆佰零玖元伍角整"),
        (6_007_14, "人民币陆仟零柒元壹角肆分"),
        (16_409_02, "人民币壹万陆仟肆佰零玖元零贰分"),
        (325_04, "人民币叁佰贰拾伍元零肆分"),
        (1_680_32, "人民币壹仟陆佰捌拾元叁角贰分"),
        (10_00, "人民币壹拾元整"),
        (100_010_00, "人民币壹拾万零壹拾元整"),
        (1_0000_0001_00, "人民币壹亿零壹元整"),
    ],
)
def test_capitals_as_the_rules_write_them(minor: int, said: str) -> None:
    assert capitals(minor) == said


@pytest.mark.parametrize("minor", [-1, LIMIT * 100])
def test_no_capitals_for_what_is_no_amount(minor: int) -> None:
    with pytest.raises(ValueError, match="no such amount"):
        capitals(minor)


@given(st.text(min_size=1, max_size=30))
def test_a_mask_shows_two_characters_at_most(text: str) -> None:
    shown = rules.masked(text)
    assert len(shown.replace(rules.HIDDEN, "", 1)) <= 2
    assert not set(text.strip()[1:-1]) & set(shown) - {*text.strip()[:1], *text.strip()[-1:], "*"}


def test_a_masked_name() -> None:
    assert [rules.masked(name) for name in ("李", "李明", "李小明")] == ["李", "李***", "李***明"]


@given(st.text(max_size=40), st.sampled_from(["", *rules.DANGEROUS]))
def test_no_cell_is_run_by_a_spreadsheet(rest: str, start: str) -> None:
    cell = rules.cell(start + rest)
    assert not cell.startswith(rules.DANGEROUS)
    assert not start or cell.startswith("'")
    line = statement_csv.written([[cell, "end"]]).decode()
    assert next(csv.reader(io.StringIO(line, newline=""))) == [cell, "end"]


@given(st.dates(), st.dates(), st.dates(date(2020, 1, 1), date(2090, 1, 1)))
def test_a_period_is_refused_by_name_or_has_its_days(first: date, last: date, today: date) -> None:
    try:
        start, end = rules.period(first, last, today)
    except BadPeriod:
        assert first > last or last > today or (last - first).days > 30 or first.year < 2000
    else:
        assert (end - start).days == (last - first).days + 1
        assert start.astimezone(codes.CITY).hour == end.astimezone(codes.CITY).hour == 0


@given(st.integers(-(10**15), 10**15))
def test_yuan_for_programs(minor: int) -> None:
    assert round(float(rules.decimal(minor)) * 100) == minor or abs(minor) > 10**14
    assert re.fullmatch(r"-?\d+\.\d\d", rules.decimal(minor))
