"""Statements: what was written is read; what was not is named, with its line, and is never an amount."""

from __future__ import annotations

import io
import string
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.rooms.payments.reconcile import bills
from tests.rooms.payments.reconcile.bills import DAY

from civicmall.payments.reconcile.formats import (
    BadRow,
    Entry,
    NotAStatement,
    Reader,
    reader_of,
)
from civicmall.payments.reconcile.formats.reading import minor

FORMS: list[Any] = [
    pytest.param("sandbox", bills.common, id="common"),
    pytest.param("alipay", bills.common, id="common-of-alipay"),
    pytest.param("wechatpay", bills.wechatpay, id="wechatpay"),
    pytest.param("alipay", bills.alipay, id="alipay"),
]
START = datetime(2026, 11, 17, 16, tzinfo=UTC)
NUMBERS = st.one_of(
    st.uuids().map(lambda one: one.hex),
    st.text(string.ascii_letters + string.digits + "_-|", min_size=1, max_size=64),
)
AMOUNTS = st.one_of(st.integers(1, 200), st.integers(1, 100_000_000_00))


@st.composite
def entry(draw: Any, *, whole_seconds: bool, states: bool) -> Entry:
    kind = draw(st.sampled_from(["payment", "payment", "refund"]))
    amount = draw(AMOUNTS)
    fee = draw(st.integers(0, 600_000))
    at = START + timedelta(microseconds=draw(st.integers(0, 86_400_000_000 - 1)))
    refund = kind == "refund"
    return Entry(
        kind, draw(NUMBERS), draw(NUMBERS) if refund else "", draw(NUMBERS), amount,
        -fee if refund else fee, at.replace(microsecond=0) if whole_seconds else at,
        draw(st.sampled_from(["done", "pending", "failed"])) if refund and states else "done",
    )  # fmt: skip


def entries(channel: str, render: Any) -> st.SearchStrategy[list[Entry]]:
    of_common = render is bills.common
    one = entry(whole_seconds=not of_common, states=channel == "wechatpay")
    return st.lists(one, max_size=8)


def read(channel: str, data: bytes) -> tuple[list[Entry], list[tuple[int, str]], Reader]:
    """Entries and bad lines; raises NotAStatement with the line's number as a note."""
    lines = io.BytesIO(data).readlines()
    reader = reader_of(channel, DAY, lines[0] if lines else b"")
    found: list[Entry] = []
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        try:
            if one := reader.read(line):
                found.append(one)
        except NotAStatement:
            raise
        except BadRow as error:
            if not reader.headed:
                raise NotAStatement(error.reason) from error
            reader.bad += 1
            bad.append((number, error.reason))
    reader.end()
    return found, bad, reader


@pytest.mark.parametrize(("channel", "render"), FORMS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_was_written_is_read(channel: str, render: Any, data: Any) -> None:
    written = data.draw(entries(channel, render))
    found, bad, reader = read(channel, render(written))
    assert [one._replace(at=one.at.astimezone(UTC)) for one in found] == written
    assert bad == []
    paid = [one.amount_minor for one in written if one.kind == "payment"]
    assert (reader.paid, reader.paid_minor) == (len(paid), sum(paid))
    assert reader.fee_minor == sum(one.fee_minor for one in written)


@pytest.mark.parametrize(("channel", "render"), FORMS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_file_that_is_cut_off_is_none(channel: str, render: Any, data: Any) -> None:
    """The common form has no end of its own: there a cut in the middle of a line is seen. Within the
    line that ends a bill, a cut may take what says nothing; all that was written is read then.
    """
    written = data.draw(entries(channel, render))
    whole = render(written)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    if render is bills.common:
        assume(not cut.endswith(b"\n"))
    try:
        found, bad, _ = read(channel, cut)
    except NotAStatement as error:
        named = error.reason
    else:
        named = ""
        assert render is not bills.common
        assert len(cut) > whole.rindex(LAST[render])
        assert ([one._replace(at=one.at.astimezone(UTC)) for one in found], bad) == (written, [])
    assert named in {"", "truncated", "header", "totals", "encoding", "columns"}


@pytest.mark.parametrize(("channel", "render"), FORMS)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_garbage_is_named_and_never_another_amount(channel: str, render: Any, data: Any) -> None:
    """One line of rubbish in place of one row: that line is bad, or the file is none; all others stay."""
    written = data.draw(entries(channel, render))
    assume(written)
    lines = render(written).splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if line.startswith((b"kind,", *HEADS))) + 1
    at = first + data.draw(st.integers(0, len(written) - 1))
    rubbish = data.draw(st.binary(max_size=60).filter(lambda raw: b"\n" not in raw))
    assume(rubbish.strip(b"\r"))
    lines[at] = rubbish + b"\n"
    rest = [one for i, one in enumerate(written) if i != at - first]
    try:
        found, bad, _ = read(channel, b"".join(lines))
    except NotAStatement:
        return
    assert [one._replace(at=one.at.astimezone(UTC)) for one in found] == rest
    assert [number for number, _ in bad] == [at + 1]


LAST: dict[Any, bytes] = {
    bills.wechatpay: b"\n`",
    bills.alipay: "#退款合计".encode("gb18030"),
}
"""How the line begins that a whole bill ends with."""
HEADS = ("\ufeff交易时间,".encode(), "支付宝交易号,".encode("gb18030"))


@pytest.mark.parametrize(("channel", "render"), FORMS)
def test_each_trouble_has_its_name(channel: str, render: Any) -> None:
    good = Entry("payment", "a" * 32, "", "T1", 1234, 6, START + timedelta(hours=9))
    strange = {
        "other-day": good._replace(at=START - timedelta(hours=3)),
        "amount": good._replace(amount_minor=0),
        "number": good._replace(txn="a b"),
    }
    for reason, one in strange.items():
        found, bad, _ = read(channel, render([good, one, good._replace(txn="T2")]))
        assert [b for _, b in bad] == [reason]
        assert len(found) == 2
    with pytest.raises(NotAStatement, match="header"):
        read(channel, b"a,b,c\n" + render([good]))


@pytest.mark.parametrize("render", [bills.wechatpay, bills.alipay])
@pytest.mark.parametrize("change", ["drop", "double", "amount"])
def test_totals_that_do_not_agree_are_seen(render: Any, change: str) -> None:
    channel = "wechatpay" if render is bills.wechatpay else "alipay"
    rows = [
        Entry("payment", f"{n:032x}", "", f"T{n}", 100 + n, 0, START + timedelta(hours=n))
        for n in range(3)
    ]
    lines = render(rows).splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b"T1" in line)
    if change == "drop":
        del lines[at]
    elif change == "double":
        lines.insert(at, lines[at])
    else:
        lines[at] = lines[at].replace(b"1.01", b"1.11")
    with pytest.raises(NotAStatement, match="totals"):
        read(channel, b"".join(lines))


@given(st.integers(-(10**12), 10**12))
def test_yuan_is_exact(value: int) -> None:
    assert minor(bills.yuan(value)) == value
    assert minor(bills.yuan(value, "000")) == value


@pytest.mark.parametrize(
    "text", ["", "-", ".5", "1.", "1.005", "0.00600", "1e3", "1,000.00", "１.00", " 1", "+1", "NaN"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(BadRow, match="amount"):
        minor(text)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_end_in_a_name(data: bytes) -> None:
    for channel in ("sandbox", "alipay", "wechatpay"):
        with pytest.raises(NotAStatement):
            read(channel, data)
