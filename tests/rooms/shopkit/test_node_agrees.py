"""A shop in another language agrees on every byte: Node's own crypto, and none of our code."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from shopkit.assertion import TYPE, Assertion, make
from shopkit.keys import Key
from shopkit.signatures import (
    CALLBACK_TAG,
    SHOP_TAG,
    BadSignature,
    Memory,
    Request,
    Signer,
    Verifier,
)
from shopkit.webhooks import CloudEvent, secret_of, sign

NODE: Final = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node on this machine")

NOW: Final = 1_750_000_000
THERE: Final = Path(__file__).with_name("there.js")
PLATFORM: Final = Key(b"k" * 32)
SHOP: Final = Key(b"s" * 32)
SHOP_ID: Final = "cn.city.police"
PATH: Final = "/v1/apps/id_card/%E4%B8%AD%2fx"
QUERY: Final = "a[]=%20&b=%2F%2f&c"
BODY: Final = '{"name":"王小明"}'
SAID: Final = Assertion(
    iss="https://mall.example", aud=SHOP_ID, sub="p_1", app="id_card", iat=NOW, exp=NOW + 60,
    acr="L3", claims={"name": "王小明"},
)  # fmt: skip
CALLBACK: Final = {
    "method": "POST",
    "path": "/callbacks",
    "query": "case=%41",
    "body": '{"ok":"好"}',
}


def text(headers: list[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode()) for name, value in headers]


@pytest.fixture(scope="module")
def there() -> dict[str, Any]:
    """What the other side finds, and the callback that it signs."""
    assertion = make(PLATFORM.private, "platform-1", SAID)
    signer = Signer(PLATFORM.private, "platform-1", SHOP_TAG)
    event = CloudEvent(
        id="e1", source=SAID.iss, type="city.civicmall.charge.paid",
        time=datetime(2025, 6, 15, tzinfo=UTC), data={"who": "王小明"},
    )  # fmt: skip
    secret = secret_of(b"w" * 32)
    webhook_headers, webhook_body = sign(secret, event, NOW)
    given = {
        "method": "POST", "path": PATH, "query": QUERY, "body": BODY, "assertion": assertion,
        "headers": text(signer.headers("POST", PATH, QUERY, BODY.encode(), assertion, now=NOW)),
        "jwk": PLATFORM.jwk("platform-1"),
        "webhook": {
            "secret": secret, "headers": text(webhook_headers), "body": webhook_body.decode(),
        },
        "callback": CALLBACK | {
            "jwk": SHOP.jwk(SHOP_ID) | {"d": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")},
            "keyid": SHOP_ID, "created": NOW,
        },
    }  # fmt: skip
    assert NODE is not None
    ran = subprocess.run(
        [NODE, str(THERE)], input=json.dumps(given).encode(), capture_output=True, timeout=30,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


def test_our_signature_fits_there(there: dict[str, Any]) -> None:
    assert there["signature"] is True
    assert there["digest"] is True


def test_our_assertion_is_read_there(there: dict[str, Any]) -> None:
    assert there["assertion"] == {
        "header": {"alg": "EdDSA", "typ": TYPE, "kid": "platform-1"},
        "claims": msgspec.to_builtins(SAID),
    }


def test_our_webhook_fits_there(there: dict[str, Any]) -> None:
    assert there["webhook"] is True


def test_a_callback_signed_there_is_let_in_here(there: dict[str, Any]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in there["callback"]]
    request = Request(
        "POST", CALLBACK["path"], CALLBACK["query"], headers, CALLBACK["body"].encode()
    )
    assert let_in(request) == SHOP_ID


def test_and_not_when_it_was_changed_on_the_way(there: dict[str, Any]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in there["callback"]]
    request = Request("POST", CALLBACK["path"], "case=A", headers, CALLBACK["body"].encode())
    with pytest.raises(BadSignature, match="signature-wrong"):
        let_in(request)


def let_in(request: Request) -> str:
    verifier = Verifier({SHOP_ID: SHOP.public}.get, CALLBACK_TAG, seen=Memory())
    return asyncio.run(verifier.verify(request, now=NOW)).keyid
