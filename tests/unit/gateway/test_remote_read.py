"""Whatever a remote shop sends, it is an answer of the contract or one of our named problems."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from civicmall.gateway import errors
from civicmall.gateway.http1 import Reply
from civicmall.gateway.outcomes import named
from civicmall.gateway.remote import read
from civicmall.kernel import http
from civicmall.kernel.errors import Problem
from shopkit.answers import ASKS, TYPES
from shopkit.contract import (
    BillsQuery,
    BookingsQuery,
    ChargePaid,
    ChargeRefunded,
    ProgressQuery,
    SlotsQuery,
)

CLOSED = {
    kind for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, Problem) and kind is not Problem
}  # fmt: skip
QUESTIONS: dict[str, Any] = {
    "progress.list": ProgressQuery(), "bills.list": BillsQuery(), "appointments.list": BookingsQuery(),
    "charge.paid": msgspec.convert(
        {"payment_id": "p", "charge_id": "c", "amount_minor": 1, "paid_at": "2026-10-01T00:00:00Z"},
        ChargePaid,
    ),
    "charge.refunded": msgspec.convert(
        {"refund_id": "f", "payment_id": "p", "charge_id": "c", "amount_minor": 1,
         "refunded_at": "2026-10-01T00:00:00Z"},
        ChargeRefunded,
    ),
    "appointments.slots": msgspec.convert(
        {"from_on": "2026-10-01", "until_on": "2026-10-14"}, SlotsQuery
    ),
}  # fmt: skip
TYPED = sorted(TYPES.keys() - {"raw", "event"})
MEDIA = st.sampled_from(
    [b"application/json", b"application/problem+json", b"text/html", b"", b"\xff", b";;", b"application/json;\x80"]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "detail", "check", "errors", "field", "message", "state", "reference",
             "reasons", "bill", "lines", "title", "zh-CN", "schema", "properties", "prefill",
             "figures", "key", "kind", "value", "table", "slots"]
        ) | st.text(max_size=3),
        inner, max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


def encoded(value: Any) -> bytes:
    """As JSON, where that can hold it."""
    try:
        return msgspec.json.encode(value)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return repr(value).encode(errors="replace")


BODIES = st.binary(max_size=300) | JSON.map(encoded)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"retry-after", b"location", b"content-language", b"x-odd"]),
        st.binary(max_size=20) | st.integers().map(lambda n: str(n).encode()),
    ),
    max_size=4,
)


def judged(operation: str, reply: Reply) -> Any:
    """The answer, or the problem that a citizen sees."""
    asked = QUESTIONS.get(operation, "a1" if ASKS[operation] is not None else None)
    try:
        return read(operation, asked, reply)
    except Exception as error:  # noqa: BLE001 (whatever comes is what is judged)
        return named("shop", "app", operation, error, "en")[1]


@given(
    operation=st.sampled_from(TYPED), status=st.integers(200, 599), media=MEDIA, more=HEADERS,
    body=BODIES,
)  # fmt: skip
@example(
    operation="bills.list", status=200, media=b"application/json", more=[], body=b"[" * 100_000
)
@example(
    operation="bills.list", status=404, media=b"application/problem+json", more=[],
    body=b'{"type":' + b"[" * 100_000,
)  # fmt: skip
@example(
    operation="apply.submit", status=422, media=b"application/problem+json", more=[],
    body=b'{"type":"bad-form","errors":[{"message":{"zh-CN":"\\u0000"},"field":"\\ud800"}]}',
)  # fmt: skip
@example(
    operation="bills.get", status=409, media=b"application/problem+json", more=[],
    body=b'{"type":"refused","detail":"a\\u0000b"}',
)  # fmt: skip
@example(
    operation="bills.get", status=422, media=b"application/problem+json", more=[],
    body=b'{"type":"bad-form","errors":[{"message":{"zh-CN":"a\\u0000"},"field":"\\u0000b"}]}',
)  # fmt: skip
@example(
    operation="bills.get", status=503, media=b"", more=[(b"retry-after", "²".encode())], body=b"",
)  # fmt: skip
def test_anything_is_an_answer_or_a_problem_of_the_closed_set(
    operation: str, status: int, media: bytes, more: list[tuple[bytes, bytes]], body: bytes
) -> None:
    found = judged(operation, Reply(status, [(b"content-type", media), *more], body))
    if isinstance(found, Problem):
        assert type(found) in CLOSED
        said = msgspec.json.encode(http.body_of(found, "en"))
        assert len(said) < 64 * 1024
        assert b"\\u0000" not in said, "a refusal may be kept, and PostgreSQL keeps no NUL"
        for name, value in http.headers_of(found).items():
            assert f"{name}{value}".isascii()
            assert f"{name}{value}".isprintable()
        return
    assert status in {200, 202, 422}
    assert msgspec.convert(msgspec.to_builtins(found), TYPES[operation]) == found
    assert b"\\u0000" not in msgspec.json.encode(found)
