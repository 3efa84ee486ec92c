"""News is believed if it was signed with the shared secret, just now, whole."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from standardwebhooks import Webhook

from shopkit.webhooks import (
    CHECKS,
    TOLERANCE_S,
    BadWebhook,
    CloudEvent,
    secret_of,
    sign,
    verify,
)

NOW: Final = 1_750_000_000
SECRET: Final = secret_of(b"s" * 32)
OTHER: Final = secret_of(b"o" * 24)
EVENT: Final = CloudEvent(
    id="01J0-a_b",
    source="https://mall.example",
    type="city.civicmall.charge.paid",
    subject="charge/7",
    time=datetime(2025, 6, 15, 15, 6, 40, tzinfo=UTC),
    data={"amount_minor": 12_50, "who": "王小明"},
)
HEADERS, BODY = sign(SECRET, EVENT, NOW)
Headers = list[tuple[bytes, bytes]]


def refused(headers: Headers, body: bytes = BODY, *, now: int = NOW) -> BadWebhook:
    with pytest.raises(BadWebhook) as refusal:
        verify(SECRET, headers, body, now)
    assert SECRET not in str(refusal.value)
    return refusal.value


def changed(name: str, value: bytes | None) -> Headers:
    kept = [(key, old) for key, old in HEADERS if key != name.encode()]
    return kept if value is None else [*kept, (name.encode(), value)]


def value(name: str) -> bytes:
    return dict(HEADERS)[name.encode()]


def told(body: bytes, webhook_id: str = EVENT.id) -> tuple[Headers, bytes]:
    """Any body, signed by the library."""
    text = body.decode()
    mac = Webhook(SECRET).sign(webhook_id, datetime.fromtimestamp(NOW, UTC), text)
    return [
        (b"webhook-id", webhook_id.encode()),
        (b"webhook-timestamp", str(NOW).encode()),
        (b"webhook-signature", mac.encode()),
    ], body


def test_an_event_arrives_as_it_was_told() -> None:
    assert verify(SECRET, HEADERS, BODY, NOW) == EVENT


def test_the_body_is_a_cloud_event() -> None:
    """Whose required attributes are all written out."""
    assert json.loads(BODY) == {
        "specversion": "1.0", "id": "01J0-a_b", "source": "https://mall.example",
        "type": "city.civicmall.charge.paid", "subject": "charge/7",
        "time": "2025-06-15T15:06:40Z", "datacontenttype": "application/json",
        "data": {"amount_minor": 1250, "who": "王小明"},
    }  # fmt: skip
    assert value("content-type") == b"application/cloudevents+json"


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(JSON, st.binary(min_size=24, max_size=64))
def test_the_library_takes_what_we_sign(data: Any, key: bytes) -> None:
    """Its own check reads the clock, so this is told now."""
    event, secret = replace(EVENT, data=data), secret_of(key)
    headers, body = sign(secret, event, int(time.time()))
    given_headers = {name.decode(): text.decode() for name, text in headers}
    assert Webhook(secret).verify(body, given_headers)["id"] == EVENT.id
    assert verify(secret, headers, body, int(time.time())) == event


@given(JSON)
def test_we_take_what_the_library_signs(data: Any) -> None:
    _, body = sign(SECRET, replace(EVENT, data=data), NOW)
    assert verify(SECRET, *told(body), NOW).data == data


def test_one_good_signature_among_several_is_enough() -> None:
    """While a secret is exchanged, the sender signs with the old and the new one."""
    other = dict(sign(OTHER, EVENT, NOW)[0])[b"webhook-signature"]
    both = changed("webhook-signature", b"v1a,AAAA " + other + b" " + value("webhook-signature"))
    assert verify(SECRET, both, BODY, NOW) == EVENT


def test_header_names_in_any_case_and_events_from_any_zone() -> None:
    shouted = [(name.upper(), b" " + text + b" ") for name, text in HEADERS]
    assert verify(SECRET, shouted, BODY, NOW) == EVENT
    there = replace(EVENT, time=EVENT.time.astimezone(timezone(timedelta(hours=8))))
    assert verify(SECRET, *sign(SECRET, there, NOW), NOW).time == EVENT.time


def test_an_attempt_the_next_day_has_the_same_id_and_a_new_signature() -> None:
    headers, body = sign(SECRET, EVENT, NOW + 86_400)
    assert body == BODY
    assert dict(headers)[b"webhook-id"] == value("webhook-id")
    assert verify(SECRET, headers, body, NOW + 86_400) == EVENT


WRONG: Final[dict[str, tuple[str, Callable[[], tuple[Headers, bytes]]]]] = {
    "no id": ("webhook-missing", lambda: (changed("webhook-id", None), BODY)),
    "no timestamp": ("webhook-missing", lambda: (changed("webhook-timestamp", None), BODY)),
    "no signature": ("webhook-missing", lambda: (changed("webhook-signature", b""), BODY)),
    "an id twice": ("webhook-malformed", lambda: ([*HEADERS, (b"Webhook-Id", b"x")], BODY)),
    "an id with a dot": ("webhook-malformed", lambda: (changed("webhook-id", b"a.1"), BODY)),
    "a timestamp in words": (
        "webhook-malformed", lambda: (changed("webhook-timestamp", b"now"), BODY),
    ),
    "a timestamp with a fraction": (
        "webhook-malformed", lambda: (changed("webhook-timestamp", b"1750000000.0"), BODY),
    ),
    "a long signature": (
        "webhook-malformed", lambda: (changed("webhook-signature", b"v1,a " * 300), BODY),
    ),
    "bytes in the signature": (
        "webhook-malformed", lambda: (changed("webhook-signature", b"v1,\xff"), BODY),
    ),
    "another timestamp": (
        "webhook-signature", lambda: (changed("webhook-timestamp", str(NOW + 1).encode()), BODY),
    ),
    "another id": ("webhook-signature", lambda: (changed("webhook-id", b"01J0-a_c"), BODY)),
    "another body": ("webhook-signature", lambda: (HEADERS, BODY.replace(b"1250", b"1251"))),
    "another secret": ("webhook-signature", lambda: sign(OTHER, EVENT, NOW)),
    "another version": (
        "webhook-signature",
        lambda: (changed("webhook-signature", b"v2" + value("webhook-signature")[2:]), BODY),
    ),
    "no UTF-8": ("webhook-body", lambda: (HEADERS, b"\xff" + BODY)),
    "a huge body": ("webhook-body", lambda: (HEADERS, BODY + b" " * 256 * 1024)),
    "no JSON": ("webhook-body", lambda: told(b"hello")),
    "a deep body": ("webhook-body", lambda: told(b"[" * 100_000)),
    "no cloud event": ("webhook-body", lambda: told(b'{"id":"01J0-a_b"}')),
    "a cloud event of another version": (
        "webhook-body", lambda: told(BODY.replace(b'"1.0"', b'"0.3"')),
    ),
    "a time without a zone": ("webhook-body", lambda: told(BODY.replace(b'40Z"', b'40"'))),
    "the body of another event": ("webhook-body", lambda: told(BODY, "01J0-a_c")),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_each_fault_is_named(what: str) -> None:
    check, make = WRONG[what]
    assert refused(*make()).check == check


def test_every_name_of_a_fault_is_met() -> None:
    assert {check for check, _ in WRONG.values()} | {"webhook-timestamp"} == set(CHECKS)


@pytest.mark.parametrize("late_s", [-TOLERANCE_S, TOLERANCE_S])
def test_clocks_may_differ_by_five_minutes(late_s: int) -> None:
    assert verify(SECRET, HEADERS, BODY, NOW + late_s) == EVENT


@pytest.mark.parametrize(
    ("late_s", "seen"), [(-TOLERANCE_S - 1, "301 s ahead"), (TOLERANCE_S + 1, "301 s behind")]
)
def test_and_by_no_more(late_s: int, seen: str) -> None:
    refusal = refused(HEADERS, now=NOW + late_s)
    assert refusal.check == "webhook-timestamp"
    assert seen in refusal.seen


NAMES: Final = st.sampled_from([b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"x"])
VALUES: Final = st.binary(max_size=40) | st.sampled_from([
    b"01J0-a_b", b"1750000000", b"999999999999", b"v1,", b"v1", b",", b"v1,=", b"v1,AAAA v1,\xff",
])  # fmt: skip


@given(st.lists(st.tuples(NAMES, VALUES), max_size=5), st.binary(max_size=40) | st.just(BODY))
def test_garbage_is_refused_and_nothing_else(headers: Headers, body: bytes) -> None:
    refused(headers, body)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_changed_body_is_refused(before: bytes, after: bytes) -> None:
    if before or after:
        refused(HEADERS, before + BODY + after)


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_key_has_24_to_64_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        secret_of(b"k" * size)


@pytest.mark.parametrize(
    "bad",
    ["", "whsec_", "whsec_é", "whsec_AAAA", base64.b64encode(b"s" * 32).decode(), SECRET + "!"],
    ids=["empty", "nothing", "no-ascii", "short", "no-prefix", "no-base64"],
)
def test_a_bad_secret_is_said_without_telling_it(bad: str) -> None:
    for use in (
        lambda: sign(bad, EVENT, NOW), lambda: verify(bad, HEADERS, BODY, NOW)
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"^a webhook secret is whsec_ and 24 to 64 bytes"):
            use()


def test_an_event_tells_what_happened_and_is_no_delivery_van() -> None:
    with pytest.raises(ValueError, match="at most 262144"):
        sign(SECRET, replace(EVENT, data="x" * 262_144), NOW)
