"""A shop that shares a secret: the key says the algorithm, and a request that says another isn't let in."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
from msgspec.structs import replace
from tests.unit.shopkit.test_signatures import (
    KEY,
    KEYS,
    NONCE,
    NOW,
    SIGNER,
    signed,
    with_header,
)

from shopkit.signatures import (
    SHARED_KID,
    SHOP_TAG,
    BadSignature,
    Memory,
    Request,
    Signer,
    Verified,
    Verifier,
)

SECRET: Final = b"s" * 32
SHARED: Final = Signer(SECRET, SHARED_KID, SHOP_TAG)


def by_shared(request: Request, known: dict[str, Any]) -> Verified:
    """Let in by whoever knows these keys."""
    verifier = Verifier(known.get, SHOP_TAG, seen=Memory())
    return asyncio.run(verifier.verify(request, now=NOW))


def test_a_request_by_a_shared_secret_is_let_in() -> None:
    found = by_shared(signed(signer=SHARED), {**KEYS, SHARED_KID: SECRET})
    assert (found.keyid, found.nonce) == (SHARED_KID, NONCE)


@pytest.mark.parametrize(
    ("signer", "known", "check"),
    [
        (SHARED, {SHARED_KID: b"t" * 32}, "signature-wrong"),
        (SHARED, {SHARED_KID: None}, "signature-key"),
        (SHARED, {SHARED_KID: KEY.public}, "signature-key"),
        (Signer(KEY.public.public_bytes_raw(), "platform-1", SHOP_TAG), KEYS, "signature-key"),
        (SIGNER, {"platform-1": SECRET}, "signature-key"),
        (SIGNER, {"platform-1": KEY.public.public_bytes_raw()}, "signature-key"),
    ],
    ids=["another's", "unknown", "a key there", "the public key", "a secret there", "turned round"],
)
def test_the_key_says_the_algorithm_and_never_the_request(
    signer: Signer, known: dict[str, Any], check: str
) -> None:
    with pytest.raises(BadSignature) as refusal:
        by_shared(signed(signer=signer), known)
    assert refusal.value.check == check
    assert "ssss" not in refusal.value.seen


def test_a_shared_signature_that_is_cut_is_wrong() -> None:
    request = signed(signer=SHARED)
    cut = with_header(request, b"signature", b"civicmall=:AAAA:")
    with pytest.raises(BadSignature, match="signature-wrong"):
        by_shared(cut, {SHARED_KID: SECRET})
    altered = replace(request, path="/elsewhere")
    with pytest.raises(BadSignature, match="signature-wrong"):
        by_shared(altered, {SHARED_KID: SECRET})
