"""News for a shop: a CloudEvents 1.0 JSON object, signed as Standard Webhooks.

An event arrives at least once: the platform sends it again until the shop answers 2xx. A receiver
keeps the `webhook-id` of what it has handled (in the transaction that handles it) and answers 2xx
to one that it knows. The id stays the same on every attempt; timestamp and signature are new, so
five minutes of tolerance are enough however late an attempt is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NoReturn, get_args

import msgspec
from msgspec import Meta, Struct
from standardwebhooks import Webhook

PREFIX: Final = "whsec_"
TYPE_PREFIX: Final = "city.civicmall."
"""What CloudEvents call an event begins with it: `city.civicmall.charge.paid`."""
KEY_MIN: Final = 24
KEY_MAX: Final = 64
"""Bytes; both as Standard Webhooks says."""
TOLERANCE_S: Final = 300
"""As Standard Webhooks recommends; signatures between the sides allow the same."""
FIELD_MAX: Final = 1_024
"""Characters of a header: room for ten signatures, while secrets are exchanged."""
BODY_MAX: Final = 256 * 1024
"""Bytes. Standard Webhooks advises 20 kB: an event tells what happened, and the rest is asked for."""
TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")
ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""It is part of what is signed, before a dot: so it has none."""

Check = Literal[
    "webhook-missing", "webhook-malformed", "webhook-timestamp", "webhook-signature",
    "webhook-body",
]  # fmt: skip
CHECKS: Final[tuple[Check, ...]] = get_args(Check)

Name = Annotated[str, Meta(min_length=1, max_length=256)]


class BadWebhook(Exception):
    """News that isn't believed: which check failed, and what was seen (never a secret)."""

    def __init__(self, check: Check, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check: Final[Check] = check
        self.seen: Final = seen


class CloudEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event (CloudEvents 1.0). `id` is unique within `source`, and here everywhere."""

    specversion: Literal["1.0"] = msgspec.field(default_factory=lambda: "1.0")
    """Made anew each time, as the attribute below, so that it is written out though it never differs."""
    id: Annotated[str, Meta(pattern=f"^{ID.pattern}$")]
    source: Name
    """The platform's URL, as the assertion's `iss`."""
    type: Name
    """Reverse-DNS: `city.civicmall.charge.paid`."""
    time: Annotated[datetime, Meta(tz=True)]
    subject: Annotated[str, Meta(max_length=256)] | None = None
    """What it is about: a case, a charge."""
    datacontenttype: Literal["application/json"] = msgspec.field(
        default_factory=lambda: "application/json"
    )
    data: Any = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(CloudEvent)


def secret_of(key: bytes) -> str:
    """The secret that both sides keep, as it is handed over. Raises ValueError for a bad length."""
    if not KEY_MIN <= len(key) <= KEY_MAX:
        raise ValueError(f"a webhook key has {KEY_MIN} to {KEY_MAX} bytes, not {len(key)}")
    return PREFIX + base64.b64encode(key).decode()


def _key(secret: str) -> bytes:
    """The bytes of a secret; the message of the ValueError keeps them to itself."""
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if text == secret or not KEY_MIN <= len(key) <= KEY_MAX:
        raise ValueError(f"a webhook secret is {PREFIX} and {KEY_MIN} to {KEY_MAX} bytes in base64")
    return key


def sign(secret: str, event: CloudEvent, now: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of one attempt to tell `event`; `now` in Unix seconds.

    Raises ValueError for a bad secret or an event that is too large.
    """
    body = _ENCODER.encode(event)
    if len(body) > BODY_MAX:
        raise ValueError(f"an event of {len(body)} bytes, at most {BODY_MAX}")
    signed = f"{event.id}.{now}.".encode() + body
    mac = base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest())
    headers = [
        (b"content-type", b"application/cloudevents+json"),
        (b"webhook-id", event.id.encode()),
        (b"webhook-timestamp", str(now).encode()),
        (b"webhook-signature", b"v1," + mac),
    ]
    return headers, body


def verify(
    secret: str, headers: Iterable[tuple[bytes, bytes]], body: bytes, now: int
) -> CloudEvent:
    """The event, if it was signed with `secret` within five minutes of `now` (Unix seconds).

    The caller de-duplicates by the event's `id`, which is the `webhook-id`.
    Raises BadWebhook, and ValueError for a bad secret.
    """
    library = Webhook(_key(secret))
    given = _fields(headers)
    webhook_id, timestamp = given["webhook-id"], given["webhook-timestamp"]
    if not ID.fullmatch(webhook_id) or not TIMESTAMP.fullmatch(timestamp):
        _bad("webhook-malformed", f"want webhook-id {ID.pattern}, webhook-timestamp in seconds")
    behind = now - int(timestamp)
    if abs(behind) > TOLERANCE_S:
        side = "behind" if behind > 0 else "ahead of"
        _bad("webhook-timestamp", f"{abs(behind)} s {side} this clock ({now})")
    if len(body) > BODY_MAX:
        _bad("webhook-body", f"{len(body)} bytes, at most {BODY_MAX}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _bad("webhook-body", f"it isn't UTF-8: {error.reason} at byte {error.start}")
    want = library.sign(webhook_id, datetime.fromtimestamp(int(timestamp), UTC), text).encode()
    given_signatures = given["webhook-signature"].encode().split(b" ")
    if not any(hmac.compare_digest(want, one) for one in given_signatures):
        seen = (
            f"{len(given_signatures)} signatures, none by this secret over this id, time and body"
        )
        _bad("webhook-signature", seen)
    return _event(body, webhook_id)


def _bad(check: Check, seen: str) -> NoReturn:
    raise BadWebhook(check, seen)


def _fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The three headers, each once."""
    given: dict[str, str] = {}
    for raw_name, raw in headers:
        name = raw_name.decode("latin-1").lower()
        if not name.startswith("webhook-"):
            continue
        value = raw.decode("latin-1").strip(" \t")
        if name in given or not value.isascii() or len(value) > FIELD_MAX:
            _bad("webhook-malformed", f"{name[:40]!a} twice, too long or not ASCII")
        given[name] = value
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        if not given.get(name):
            _bad("webhook-missing", f"no {name} header")
    return given


def _event(body: bytes, webhook_id: str) -> CloudEvent:
    try:
        event = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        _bad("webhook-body", f"no CloudEvents 1.0 object: {str(error)[:200]}")
    if event.id != webhook_id:
        _bad("webhook-body", f"its id {event.id} is not the webhook-id {webhook_id}")
    return event
