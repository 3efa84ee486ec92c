"""What is shown of personal data, which ID numbers can be right, what may be declared."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.identity import rules
from shopkit.sandbox import check_digit, id_number

DIGITS = "0123456789"


@pytest.mark.parametrize(
    ("text", "head", "tail", "shown"),
    [
        ("19900009001", 3, 4, "199****9001"),
        ("990001199603081234", 4, 2, "9900************34"),
        ("王晓明", 1, 0, "王**"),
        ("欧阳", 1, 0, "欧*"),
        ("王", 1, 0, "王"),
        ("12345", 3, 4, "1****"),
        ("", 1, 0, ""),
    ],
)
def test_a_mask_leaves_what_its_owner_recognises(
    text: str, head: int, tail: int, shown: str
) -> None:
    assert rules.mask(text, head, tail) == shown


@given(st.text(min_size=2, max_size=40), st.integers(0, 5), st.integers(0, 5))
def test_a_mask_never_shows_all_of_it(text: str, head: int, tail: int) -> None:
    shown = rules.mask(text, head, tail)
    assert len(shown) == len(text)
    assert shown.endswith("*") if len(text) <= head + tail else "*" in shown
    kept = sum(a == b and b != "*" for a, b in zip(shown, text, strict=True))
    assert kept <= max(head + tail, 1)


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.integers(0, 499),
    st.sampled_from(("female", "male")),
)
def test_a_number_of_the_standard_is_valid(born: date, sequence: int, sex: str) -> None:
    assert rules.valid_id_number(id_number(born, sequence, sex))


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.integers(0, 499), st.sampled_from("0123456789X")
)  # fmt: skip
def test_one_check_digit_of_eleven_is_right(born: date, sequence: int, last: str) -> None:
    number = id_number(born, sequence, "female")
    assert rules.valid_id_number(number[:-1] + last) == (last == number[-1])


@given(st.integers(0, 16), st.sampled_from(DIGITS), st.integers(0, 499))
def test_a_slip_in_one_digit_is_found(at: int, digit: str, sequence: int) -> None:
    number = id_number(date(1996, 3, 8), sequence, "male")
    slipped = number[:at] + digit + number[at + 1 :]
    assert rules.valid_id_number(slipped) == (slipped == number)


@pytest.mark.parametrize("day", ["19960230", "19961301", "20230229", "00000000"])
def test_a_birth_date_that_never_was_is_refused(day: str) -> None:
    body = f"990001{day}123"
    assert not rules.valid_id_number(body + check_digit(body))


@given(st.text(max_size=24))
def test_whatever_comes_is_answered(text: str) -> None:
    assert rules.valid_id_number(text) in {True, False}


@given(st.text(min_size=1, max_size=20), st.text(max_size=6), st.text(max_size=6))
def test_a_code_counts_for_its_phone_alone(phone: str, one: str, other: str) -> None:
    key = b"k" * 32
    same = rules.code_hash(key, phone, one) == rules.code_hash(key, phone, other)
    assert same == (one == other)
    assert rules.code_hash(key, phone, one) != rules.code_hash(key, phone + "1", one)
    assert rules.code_hash(key, phone, one) != rules.code_hash(b"l" * 32, phone, one)


@given(st.binary(min_size=16, max_size=32), st.dates())
def test_a_sandbox_code_has_six_digits_and_lasts_a_day(key: bytes, day: date) -> None:
    code = rules.sandbox_code(key, "19900009001", day)
    assert len(code) == 6
    assert code.isdecimal()
    assert code == rules.sandbox_code(key, "19900009001", day)
