"""What we sign is what the library for RFC 9421 takes, whatever the request."""

from __future__ import annotations

from typing import Any, Final

import pytest
from http_message_signatures.algorithms import (
    ED25519,  # pyright: ignore[reportPrivateImportUsage] (its public place, by its documentation)
    HMAC_SHA256,  # pyright: ignore[reportPrivateImportUsage] (the same)
)
from http_message_signatures.resolvers import MappingKeyResolver
from http_message_signatures.signatures import HTTPMessageVerifier
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.shopkit.messages import ASSERTIONS, BODIES, METHODS, Message

from shopkit.keys import Key
from shopkit.signatures import SHOP_TAG, Signer

NOW: Final = 1_750_000_000
KEY: Final = Key(b"k" * 32)
SIGNER: Final = Signer(KEY.private, "platform-1", SHOP_TAG)
SHARED: Final = Signer(b"s" * 32, "shared-1", SHOP_TAG)
RESOLVER: Final = MappingKeyResolver(
    public_keys={"platform-1": KEY.public, "shared-1": b"s" * 32}, private_keys={}
)
WAYS: Final = st.sampled_from(
    [(SIGNER, ED25519, "platform-1", "ed25519"), (SHARED, HMAC_SHA256, "shared-1", "hmac-sha256")]
)

# Targets as the RFCs allow them, with percent signs of all sorts.
LAWFUL: Final = "abcXYZ019-._~!$&'()*+,;=:@"
ESCAPES: Final = st.sampled_from(["%2F", "%2f", "%00", "%E4%B8%AD", "%25", "%20", "%3F"])
PATHS: Final = st.lists(st.text(LAWFUL, max_size=8) | ESCAPES, max_size=6).map(
    lambda parts: "/" + "/".join(parts)
)
QUERIES: Final = st.lists(st.text(LAWFUL + "/?", max_size=8) | ESCAPES, max_size=8).map("".join)


@given(WAYS, METHODS, PATHS, QUERIES, BODIES, ASSERTIONS)
def test_the_library_takes_every_signature_that_we_make(
    way: Any, method: str, path: str, query: str, body: bytes | None, assertion: str | None
) -> None:
    signer, algorithm, keyid, name = way
    made = signer.headers(method, path, query, body, assertion, now=NOW)
    url = f"https://shop.example{path}" + (f"?{query}" if query else "")
    message = Message(method, url, {name.decode(): value.decode() for name, value in made})
    covered = ["@method", "@path", "@query"]
    covered += ["content-digest"] if body is not None else []
    covered += ["civicmall-assertion"] if assertion is not None else []
    library: Any = HTTPMessageVerifier(signature_algorithm=algorithm, key_resolver=RESOLVER)
    [result] = library.verify(
        message, max_age=None, expect_tag=SHOP_TAG, expect_label="civicmall",
        require_components=covered, body=body,
    )  # fmt: skip
    assert result.parameters["keyid"] == keyid
    assert result.parameters["alg"] == name
    assert len(str(result.nonce)) == 24


@pytest.mark.parametrize("bad", ["a b", "a\nb", "é", "\x7f", "a\tb"])
def test_nobody_signs_what_can_not_stand_in_a_request(bad: str) -> None:
    for request in [("GET", bad, "", None), ("GET", "/", bad, None), (bad, "/", "", None)]:
        with pytest.raises(ValueError, match="method, path"):
            SIGNER.headers(*request, None, now=NOW)
    with pytest.raises(ValueError, match="assertion"):
        SIGNER.headers("GET", "/", "", None, bad, now=NOW)


@pytest.mark.parametrize("bad", ["", 'a"b', "a\\b", "a b", "x" * 129])
def test_a_signers_name_fits_into_the_header(bad: str) -> None:
    with pytest.raises(ValueError, match="a key's id and a tag"):
        Signer(KEY.private, bad, SHOP_TAG)


def test_a_shared_secret_has_as_many_bytes_as_a_key() -> None:
    for size in (0, 16, 31, 33):
        with pytest.raises(ValueError, match="32 bytes"):
            Signer(b"s" * size, "shared-1", SHOP_TAG)
