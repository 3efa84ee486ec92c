"""A request is let in if a known key signed it just now, all of it, and only once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import http_sf
import pytest
from http_message_signatures.algorithms import (
    ED25519,  # pyright: ignore[reportPrivateImportUsage] (its public place, by its documentation)
)
from http_message_signatures.resolvers import MappingKeyResolver
from http_message_signatures.signatures import HTTPMessageSigner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.unit.shopkit.messages import ASSERTIONS, BODIES, METHODS, Message

from shopkit.keys import Key
from shopkit.signatures import (
    CALLBACK_TAG,
    CHECKS,
    SHOP_TAG,
    SKEW_S,
    BadSignature,
    Memory,
    Request,
    Signer,
    Verified,
    Verifier,
)

NOW: Final = 1_750_000_000
KEY: Final = Key(b"k" * 32)
OTHER: Final = Key(b"o" * 32)
KEYS: Final = {"platform-1": KEY.public, "platform-2": OTHER.public}
SIGNER: Final = Signer(KEY.private, "platform-1", SHOP_TAG)
NONCE: Final = "AAAAAAAAAAAAAAAAAAAAAAAA"
ASSERTION: Final = "eyJh.eyJz.c2ln"
PATH: Final = "/v1/apps/id_card/progress.list"

Headers = list[tuple[bytes, bytes]]


def signed(
    method: str = "POST",
    path: str = PATH,
    query: str = "",
    body: bytes | None = b'{"no":1}',
    assertion: str | None = ASSERTION,
    signer: Signer = SIGNER,
) -> Request:
    headers = signer.headers(method, path, query, body, assertion, now=NOW, nonce=NONCE)
    return Request(method, path, query, headers, body)


def let_in(
    request: Request, *, now: int = NOW, tag: str = SHOP_TAG, memory: Memory | None = None
) -> Verified:
    verifier = Verifier(KEYS.get, tag, seen=memory or Memory())
    return asyncio.run(verifier.verify(request, now=now))


def refused(request: Request, *, now: int = NOW, tag: str = SHOP_TAG) -> BadSignature:
    with pytest.raises(BadSignature) as refusal:
        let_in(request, now=now, tag=tag)
    assert ASSERTION not in refusal.value.seen
    return refusal.value


def header(request: Request, name: bytes) -> bytes:
    return dict(request.headers)[name]


def with_header(request: Request, name: bytes, value: bytes | None) -> Request:
    kept = [(key, old) for key, old in request.headers if key != name]
    return replace(request, headers=kept if value is None else [*kept, (name, value)])


def rewritten(request: Request, old: bytes, new: bytes) -> Request:
    """With `old` as `new` in its signature-input."""
    given = header(request, b"signature-input")
    assert old in given
    return with_header(request, b"signature-input", given.replace(old, new))


VISIBLE: Final = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)


RESOLVER: Final = MappingKeyResolver(public_keys=KEYS, private_keys={"platform-1": KEY.private})


@given(METHODS, VISIBLE.map(lambda path: f"/{path}"), VISIBLE, BODIES, ASSERTIONS)
def test_what_one_side_signs_the_other_lets_in(
    method: str, path: str, query: str, body: bytes | None, assertion: str | None
) -> None:
    """Also targets that no RFC allows and clients send, as `?a[]=1|2`."""
    who = let_in(signed(method, path, query, body, assertion))
    assert who == Verified("platform-1", NOW, NONCE)


def by_library(covered: tuple[str, ...], body: bytes | None, *, expires: int) -> Request:
    """A request that the library signs, as a shop in another language may."""
    message = Message("POST", "https://shop.example/callbacks?case=1")
    library: Any = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=RESOLVER)
    library.sign(
        message, key_id="platform-1", created=datetime.fromtimestamp(NOW, UTC), nonce=NONCE,
        expires=datetime.fromtimestamp(expires, UTC), label="civicmall", tag=CALLBACK_TAG,
        covered_component_ids=covered, body=body,
    )  # fmt: skip
    headers = [(name.encode(), value.encode()) for name, value in message.headers.items()]
    return Request("POST", "/callbacks", "case=1", headers, body)


def test_what_the_library_signs_is_let_in() -> None:
    """In its own order of components and parameters, and with an `expires`."""
    covered = ("content-digest", "@query", "@path", "@method")
    request = by_library(covered, b"{}", expires=NOW + 60)
    assert let_in(request, tag=CALLBACK_TAG).keyid == "platform-1"


def test_an_expiry_is_heeded() -> None:
    request = by_library(("@query", "@path", "@method"), None, expires=NOW - 400)
    refusal = refused(request, tag=CALLBACK_TAG)
    assert refusal.check == "signature-created"
    assert "expired 400 s ago" in refusal.seen


@pytest.mark.parametrize("tag", [b"edge", SHOP_TAG.encode()])
def test_signatures_of_others_may_stand_beside_ours(tag: bytes) -> None:
    """A proxy may sign too, under its own label."""
    request = signed()
    theirs = b'proxy=("@method");created=1;keyid="p";tag="%s", ' % tag
    both = with_header(request, b"signature-input", theirs + header(request, b"signature-input"))
    both = with_header(both, b"signature", b"proxy=:AAAA:, " + header(request, b"signature"))
    assert let_in(both).keyid == "platform-1"


@pytest.mark.parametrize(("there", "here"), [("", "/"), ("/", "")])
def test_no_path_is_the_root(there: str, here: str) -> None:
    assert let_in(replace(signed(path=there), path=here)).keyid == "platform-1"


def test_header_names_in_any_case_and_values_in_several_lines() -> None:
    request = signed()
    shouted = [(name.upper(), b" " + value + b"\t") for name, value in request.headers]
    assert let_in(replace(request, headers=shouted)).keyid == "platform-1"


WRONG: Final[dict[str, tuple[str, Callable[[], Request]]]] = {
    "no signature": ("signature-missing", lambda: with_header(signed(), b"signature", None)),
    "no input": ("signature-missing", lambda: with_header(signed(), b"signature-input", None)),
    "another label": (
        "signature-missing", lambda: rewritten(signed(), b"civicmall=(", b"sig1=("),
    ),
    "an empty input": (
        "signature-missing", lambda: with_header(signed(), b"signature-input", b""),
    ),
    "not a dictionary": (
        "signature-malformed", lambda: with_header(signed(), b"signature-input", b"civicmall=("),
    ),
    "our label twice": (
        "signature-malformed",
        lambda: with_header(
            signed(), b"signature", b", ".join([header(signed(), b"signature")] * 2)
        ),
    ),
    "no inner list": (
        "signature-malformed",
        lambda: with_header(
            signed(), b"signature-input", b'civicmall="x";created=1;tag="' + SHOP_TAG.encode() + b'"'
        ),
    ),
    "no byte sequence": (
        "signature-malformed", lambda: with_header(signed(), b"signature", b"civicmall=abc"),
    ),
    "a list for a signature": (
        "signature-malformed", lambda: with_header(signed(), b"signature", b"civicmall=(:AA==:)"),
    ),
    "a signature with a parameter": (
        "signature-malformed",
        lambda: with_header(signed(), b"signature", header(signed(), b"signature") + b";a"),
    ),
    "a huge input": (
        "signature-malformed",
        lambda: rewritten(signed(), b"civicmall=(", b'x="%s", civicmall=(' % (b"a" * 4_096)),
    ),
    "no nonce": (
        "signature-malformed",
        lambda: rewritten(signed(), f';nonce="{NONCE}"'.encode(), b""),
    ),
    "a short nonce": (
        "signature-malformed", lambda: rewritten(signed(), NONCE.encode(), b"abc"),
    ),
    "a long nonce": (
        "signature-malformed", lambda: rewritten(signed(), NONCE.encode(), b"a" * 65),
    ),
    "no created": (
        "signature-malformed", lambda: rewritten(signed(), f";created={NOW}".encode(), b""),
    ),
    "created is no number": (
        "signature-malformed",
        lambda: rewritten(signed(), f"created={NOW}".encode(), b'created="now"'),
    ),
    "created is yes": (
        "signature-malformed", lambda: rewritten(signed(), f"created={NOW}".encode(), b"created"),
    ),
    "expires is no number": (
        "signature-malformed", lambda: rewritten(signed(), b";created", b";expires=soon;created"),
    ),
    "tag is a token": (
        "signature-malformed",
        lambda: rewritten(signed(), f'"{SHOP_TAG}"'.encode(), SHOP_TAG.encode()),
    ),
    "an unknown parameter": (
        "signature-malformed", lambda: rewritten(signed(), b";created", b";mood=1;created"),
    ),
    "a method in small letters": (
        "signature-malformed", lambda: replace(signed(), method="post"),
    ),
    "a path with bytes": ("signature-malformed", lambda: replace(signed(), path="/é")),
    "bytes in the header": (
        "signature-malformed", lambda: with_header(signed(), b"signature", b"\xff"),
    ),
    "a callback's tag": (
        "signature-tag",
        lambda: signed(signer=Signer(KEY.private, "platform-1", CALLBACK_TAG)),
    ),
    "method not covered": (
        "signature-components", lambda: rewritten(signed(), b'"@method" ', b""),
    ),
    "digest not covered": (
        "signature-components", lambda: rewritten(signed(), b' "content-digest"', b""),
    ),
    "assertion not covered": (
        "signature-components", lambda: rewritten(signed(), b' "civicmall-assertion"', b""),
    ),
    "a body that nobody covered": (
        "signature-components", lambda: replace(signed(body=None), body=b"{}"),
    ),
    "an assertion put in": (
        "signature-components",
        lambda: with_header(signed(assertion=None), b"civicmall-assertion", b"e.e.e"),
    ),
    "an assertion taken out": (
        "signature-components", lambda: with_header(signed(), b"civicmall-assertion", None),
    ),
    "a component of our own": (
        "signature-components", lambda: rewritten(signed(), b'"@path"', b'"@path" "@authority"'),
    ),
    "a component with a parameter": (
        "signature-components", lambda: rewritten(signed(), b'"@path"', b'"@path";req'),
    ),
    "a component twice": (
        "signature-components", lambda: rewritten(signed(), b'"@path"', b'"@path" "@path"'),
    ),
    "a component that is a token": (
        "signature-components",
        lambda: rewritten(signed(), b'"content-digest"', b"content-digest"),
    ),
    "an unknown key": (
        "signature-key", lambda: signed(signer=Signer(KEY.private, "platform-9", SHOP_TAG)),
    ),
    "another algorithm": (
        "signature-key", lambda: rewritten(signed(), b'"ed25519"', b'"hmac-sha256"'),
    ),
    "another body": ("signature-digest", lambda: replace(signed(), body=b'{"no":2}')),
    "the digest taken out": (
        "signature-digest", lambda: with_header(signed(), b"content-digest", None),
    ),
    "the body left out": ("signature-digest", lambda: replace(signed(), body=None)),
    "a digest of no known kind": (
        "signature-digest", lambda: with_header(signed(), b"content-digest", b"md5=:AAAA:"),
    ),
    "a digest in no dictionary": (
        "signature-digest", lambda: with_header(signed(), b"content-digest", b'";;'),
    ),
    "another key's signature": (
        "signature-wrong", lambda: signed(signer=Signer(OTHER.private, "platform-1", SHOP_TAG)),
    ),
    "another path": ("signature-wrong", lambda: replace(signed(), path=PATH + "x")),
    "another query": ("signature-wrong", lambda: replace(signed(), query="a=1")),
    "another method": ("signature-wrong", lambda: replace(signed(), method="PUT")),
    "another assertion": (
        "signature-wrong", lambda: with_header(signed(), b"civicmall-assertion", b"e.e.e"),
    ),
    "a second assertion": (
        "signature-wrong",
        lambda: replace(signed(), headers=[*signed().headers, (b"civicmall-assertion", b"e.e.e")]),
    ),
    "a label more on one side": (
        "signature-wrong",
        lambda: with_header(signed(), b"signature", b"x=:AA==:, " + header(signed(), b"signature")),
    ),
    "a signature of two bytes": (
        "signature-wrong", lambda: with_header(signed(), b"signature", b"civicmall=:AAA=:"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_each_fault_is_named(what: str) -> None:
    check, make = WRONG[what]
    assert refused(make()).check == check


def test_every_name_of_a_fault_is_met() -> None:
    met = {check for check, _ in WRONG.values()} | {"signature-created", "signature-replayed"}
    assert met == set(CHECKS)


@pytest.mark.parametrize("late_s", [-SKEW_S, 0, SKEW_S])
def test_clocks_may_differ_by_five_minutes(late_s: int) -> None:
    assert let_in(signed(), now=NOW + late_s).created == NOW


@pytest.mark.parametrize(
    ("late_s", "seen"), [(-SKEW_S - 1, "301 s ahead of"), (SKEW_S + 1, "301 s behind")]
)
def test_and_by_no_more(late_s: int, seen: str) -> None:
    refusal = refused(signed(), now=NOW + late_s)
    assert refusal.check == "signature-created"
    assert seen in refusal.seen
    assert str(NOW + late_s) in refusal.seen


def test_the_wrong_key_is_named_by_its_public_half() -> None:
    refusal = refused(signed(signer=Signer(OTHER.private, "platform-1", SHOP_TAG)))
    assert "platform-1" in refusal.seen
    assert KEY.text[:8] in refusal.seen
    assert PATH in refusal.seen


def test_a_request_is_let_in_once() -> None:
    memory = Memory()
    assert let_in(signed(), memory=memory).nonce == NONCE
    with pytest.raises(BadSignature) as refusal:
        let_in(signed(), memory=memory)
    assert refusal.value.check == "signature-replayed"


async def test_a_nonce_is_remembered_while_its_signature_is_good() -> None:
    asked: list[tuple[str, str, int]] = []

    class Watched(Memory):
        async def seen(self, keyid: str, nonce: str, until: int) -> bool:
            asked.append((keyid, nonce, until))
            return False

    await Verifier(KEYS.get, SHOP_TAG, seen=Watched()).verify(signed(), now=NOW + 7)
    assert asked == [("platform-1", NONCE, NOW + SKEW_S)]


def test_a_nonce_is_one_keys() -> None:
    memory = Memory()
    let_in(signed(), memory=memory)
    other = signed(signer=Signer(OTHER.private, "platform-2", SHOP_TAG))
    assert let_in(other, memory=memory).keyid == "platform-2"


def test_a_forgery_burns_no_nonce() -> None:
    memory = Memory()
    with pytest.raises(BadSignature):
        let_in(replace(signed(), query="a=1"), memory=memory)
    assert let_in(signed(), memory=memory).nonce == NONCE


NAMES: Final = (b"signature-input", b"signature", b"content-digest", b"civicmall-assertion")
SHARDS: Final = st.sampled_from([
    b"civicmall", b"=", b"(", b")", b";", b",", b" ", b'"', b":", b"?1", b"@1", b"@99999999999999",
    b'%"', b"-1", b"1.5", b"999999999999999", b'"@method"', b'"@path"', b'"@query"', b"*", b"\t",
    b";created=1750000000", b';tag="civicmall-shop-v1"', b';keyid="platform-1"', b";sf", b";req",
    b';alg="ed25519"', b';nonce="AAAAAAAAAAAAAAAAAAAAAAAA"', b"sha-256=:AAAA:", b"\xff", b"\0",
])  # fmt: skip
GARBAGE: Final = st.binary(max_size=60) | st.lists(SHARDS, max_size=20).map(b"".join)


@given(st.lists(st.tuples(st.sampled_from(NAMES), GARBAGE), max_size=6), BODIES)
def test_garbage_is_refused_and_nothing_else(headers: Headers, body: bytes | None) -> None:
    refused(Request("POST", PATH, "", headers, body))


@given(st.data())
def test_a_change_anywhere_in_the_headers_is_refused(data: st.DataObject) -> None:
    """Cut something out of one header and put garbage there."""
    request = signed()
    name = data.draw(st.sampled_from(NAMES))
    value = header(request, name)
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    changed = value[:start] + data.draw(GARBAGE) + value[end:]
    try:
        same = meaning(name, changed) == meaning(name, value)
    except ValueError:
        same = False
    if not same:
        refused(with_header(request, name, changed))


def meaning(name: bytes, value: bytes) -> Any:
    """What is left to change without changing anything: spaces, and base64's spare bits."""
    stripped = value.strip(b" \t")
    if name in {b"signature", b"signature-input"}:
        return repr(http_sf.parse(stripped, tltype="dictionary"))
    return stripped


@given(st.text(), st.text(), st.text())
def test_a_strange_target_is_refused(method: str, path: str, query: str) -> None:
    refused(replace(signed(), method=method, path=path + "!", query=query))
