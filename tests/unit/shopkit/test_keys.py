"""A key in a manifest is 43 characters, and one that protects something."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shopkit.keys import LOW_ORDER, Key, public_key, shared_key, shared_text


def test_a_key_is_written_as_rfc_8037_writes_it() -> None:
    """Its appendix A.1 and A.2, the key of RFC 8032's first test."""
    key = Key(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.text == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert key.jwk("k")["x"] == key.text
    assert public_key(key.text) == key.public


@pytest.mark.parametrize("bad", ["", "AAAA", "=" * 43, "A" * 44, "é" * 43, "A" * 42 + "+"])
def test_what_is_no_public_key(bad: str) -> None:
    with pytest.raises(ValueError, match="43 characters"):
        public_key(bad)


def test_a_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        Key(b"k" * 31)


@pytest.mark.parametrize("raw", sorted(LOW_ORDER), ids=lambda raw: raw.hex()[:8])
def test_under_a_key_of_low_order_anybody_can_sign(raw: bytes) -> None:
    """One signature, made without any secret, fits some messages; so such keys are refused."""
    with pytest.raises(ValueError, match="low order"):
        public_key(urlsafe_b64encode(raw).decode().rstrip("="))
    forged = b"\1" + bytes(63)
    assert any(fits(raw, forged, b"message %d" % n) for n in range(200))


def fits(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_shared_secret_is_read_as_it_was_handed_over() -> None:
    text = shared_text(b"s" * 32)
    assert text.startswith("rqsec_")
    assert shared_key(text) == b"s" * 32


@pytest.mark.parametrize(
    "bad", ["", "rqsec_", "rqsec_c3Nz", "whsec_" + "c3Nz" * 11, "rqsec_ä", "c3Nz"]
)
def test_what_is_no_shared_secret_is_not_repeated(bad: str) -> None:
    with pytest.raises(ValueError, match="rqsec_ and 32 bytes") as error:
        shared_key(bad)
    assert "c3Nz" not in str(error.value)
