"""Signed requests between the platform and a shop: HTTP Message Signatures (RFC 9421).

Ed25519, or HMAC-SHA-256 where a shop chose to share a secret: a fourteenth of the time.
Both directions are the same but for the tag. A signature labelled `civicmall` covers the method,
the path, the query, the body's digest (RFC 9530) where there is a body, and the identity assertion
where there is one; its parameters are created, nonce, keyid, alg and tag. The host is left out:
proxies on either side rewrite it, and whom a request is for stands in the assertion's `aud`.

Path and query are signed as they stand on the wire, percent-encoded; nobody decodes them first.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from hmac import digest as hmac_of
from secrets import token_bytes
from typing import Any, Final, Literal, NoReturn, Protocol, cast, get_args

import http_sf
from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures.algorithms import (  # its public place, by its documentation
    ED25519,  # pyright: ignore[reportPrivateImportUsage]
    HMAC_SHA256,  # pyright: ignore[reportPrivateImportUsage]
)
from http_message_signatures.digests import ContentDigest
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import (
    HTTPSignatureComponentResolver,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.signatures import HTTPMessageVerifier
from msgspec import Struct

from .keys import SEED, text_of

LABEL: Final = "civicmall"
SHOP_TAG: Final = "civicmall-shop-v1"
"""Platform to shop."""
CALLBACK_TAG: Final = "civicmall-callback-v1"
"""Shop to platform: another tag, so that neither's requests can be turned round."""
ASSERTION: Final = "civicmall-assertion"
"""The header with the identity assertion."""
SHARED_KID: Final = "shared-1"
"""The id of the secret that a shop shares with the platform: each shop has its own."""

Algorithm = Literal["ed25519", "hmac-sha256"]
"""As RFC 9421 names them (section 6.2.2)."""
Known = Callable[[str], Ed25519PublicKey | bytes | None]
"""From a key's id to the public key, or to the shared secret: its kind says which algorithm counts,
and never the request. Otherwise a public key could be passed off as a secret.
"""

SKEW_S: Final = 300
"""Departments' servers stand in closed networks, some without NTP; five minutes is what Kerberos
and Standard Webhooks allow too. Nonces are remembered for as long, so it costs memory, not safety."""
NONCE_MIN: Final = 16
"""96 bits in base64: below that two honest nonces could meet."""
NONCE_MAX: Final = 64
"""Each is remembered; 64 hexadecimal digits are 256 bits."""
NONCE_BYTES: Final = 18
"""24 characters of base64 without padding."""
FIELD_MAX: Final = 4_096
"""Characters of signature-input or signature. Ours have 250; others' may stand beside ours."""
SEEN_MAX: Final = 100
"""Characters that are repeated from a stranger's header in an error."""
REMEMBERED: Final = 100_000
"""Nonces in a shop's memory, about 25 MB: five minutes at 330 requests a second."""

ALWAYS: Final = ("@method", "@path", "@query")
PARAMETERS: Final = frozenset({"created", "expires", "nonce", "keyid", "alg", "tag"})
PARAMETER_TYPES: Final = {"created": int, "nonce": str, "keyid": str, "alg": str, "tag": str}
"""Which have to be there, and what each has to be."""
KEYID: Final = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
NONCE: Final = re.compile(rf"[A-Za-z0-9._:/+=-]{{{NONCE_MIN},{NONCE_MAX}}}")

Check = Literal[
    "signature-missing", "signature-malformed", "signature-tag", "signature-components",
    "signature-created", "signature-key", "signature-digest", "signature-wrong",
    "signature-replayed",
]  # fmt: skip
CHECKS: Final[tuple[Check, ...]] = get_args(Check)


class BadSignature(Exception):
    """A request that isn't let in: which check failed, and what was seen (never a secret)."""

    def __init__(self, check: Check, seen: str) -> None:
        super().__init__(f"{check}: {seen}")
        self.check: Final[Check] = check
        self.seen: Final = seen


class Signer:
    """Signs one side's requests.

    It builds the signature base itself: this runs on every remote call, and the library, which
    parses and serialises structured fields again each time, takes 50 times as long for it
    (5 µs here, 280 µs there; Ed25519 itself takes 33 µs). Tests hold the two together.
    `secret` of 32 bytes is shared with whoever verifies, and means HMAC.
    """

    def __init__(self, secret: Ed25519PrivateKey | bytes, keyid: str, tag: str) -> None:
        if not (KEYID.fullmatch(keyid) and KEYID.fullmatch(tag)):
            raise ValueError(f"a key's id and a tag match {KEYID.pattern}, not {keyid!r}, {tag!r}")
        if isinstance(secret, bytes) and len(secret) != SEED:
            raise ValueError(f"a shared secret has {SEED} bytes, not {len(secret)}")
        algorithm: Algorithm = "hmac-sha256" if isinstance(secret, bytes) else "ed25519"
        self.sign = partial(_mac, secret) if isinstance(secret, bytes) else secret.sign
        """The signature of some bytes."""
        self._tail = f'";keyid="{keyid}";alg="{algorithm}";tag="{tag}"'

    def headers(
        self, method: str, path: str, query: str, body: bytes | None, assertion: str | None,
        *, now: int, nonce: str | None = None,
    ) -> list[tuple[bytes, bytes]]:  # fmt: skip
        """The headers to add: content-digest (unless `body` is None), civicmall-assertion (where
        given), signature-input and signature.

        `path` and `query` (without its `?`) as they stand on the wire; `now` in Unix seconds.
        Raises ValueError for what could not stand there, as a space or a line's end.
        """
        nonce = nonce or b2a_base64(token_bytes(NONCE_BYTES), newline=False).decode()
        target = f"{method}{path}{query}{assertion or ''}"
        if not (target.isascii() and target.isprintable() and NONCE.fullmatch(nonce)):
            raise ValueError(
                "method, path, query or assertion aren't visible ASCII, or a bad nonce"
            )
        if " " in target:
            raise ValueError("a space in method, path, query or assertion")
        lines = f'"@method": {method}\n"@path": {path or "/"}\n"@query": ?{query}\n'
        covered = '"@method" "@path" "@query"'
        made: list[tuple[bytes, bytes]] = []
        if body is not None:
            digest = b"sha-256=:%s:" % b2a_base64(sha256(body).digest(), newline=False)
            made.append((b"content-digest", digest))
            lines += f'"content-digest": {digest.decode()}\n'
            covered += ' "content-digest"'
        if assertion is not None:
            made.append((b"civicmall-assertion", assertion.encode()))
            lines += f'"civicmall-assertion": {assertion}\n'
            covered += ' "civicmall-assertion"'
        params = f'({covered});created={now};nonce="{nonce}{self._tail}'
        signature = self.sign(f'{lines}"@signature-params": {params}'.encode())
        made.append((b"signature-input", f"civicmall={params}".encode()))
        made.append((b"signature", b"civicmall=:%s:" % b2a_base64(signature, newline=False)))
        return made


def _mac(secret: bytes, data: bytes) -> bytes:
    return hmac_of(secret, data, "sha256")


class Replays(Protocol):
    """Remembers nonces for all processes that answer under one name."""

    async def seen(self, keyid: str, nonce: str, until: int) -> bool:
        """Whether the nonce was here before; if not, it is from now on, to `until` (Unix seconds)."""
        ...


class Memory:
    """The replay memory of a shop that is one process.

    It holds the last `size` nonces and needs no clock. What it had to forget it still refuses: of
    each key it remembers up to when a forgotten nonce would have been good, and takes whatever is
    no fresher for a replay. A flood so shortens the time a request may be under way; it opens nothing.
    """

    def __init__(self, size: int = REMEMBERED) -> None:
        self._size = size
        self._until: dict[tuple[str, str], int] = {}
        self._forgotten: dict[str, int] = {}

    async def seen(self, keyid: str, nonce: str, until: int) -> bool:
        if (keyid, nonce) in self._until or until <= self._forgotten.get(keyid, 0):
            return True
        if len(self._until) >= self._size:
            oldest = next(iter(self._until))
            mark = self._until.pop(oldest)
            self._forgotten[oldest[0]] = max(mark, self._forgotten.get(oldest[0], 0))
        self._until[keyid, nonce] = until
        return False


class Verified(Struct, frozen=True):
    """Whose request this is: its signature is right, fresh and seen for the first time."""

    keyid: str
    created: int
    nonce: str


class Request(Struct, frozen=True):
    """A request as it came. `path` and `query` (without `?`) undecoded; all headers, in any case."""

    method: str
    path: str
    query: str
    headers: Iterable[tuple[bytes, bytes]]
    body: bytes | None = None


class _Lines(Struct, frozen=True):
    """The header lines that a signature is about, by name; as the library wants to see them."""

    lines: list[tuple[str, str]]

    def items(self) -> list[tuple[str, str]]:
        return self.lines

    def value(self, name: str) -> str | None:
        """The lines of that name as one, as RFC 9421 section 2.1 joins them."""
        found = [value for key, value in self.lines if key == name]
        return ", ".join(found) if found else None


class _Message(Struct, frozen=True):
    method: str
    path: str
    query: str
    headers: _Lines
    url: str = "https://shop.invalid/"
    """The library asks for one; the resolver below doesn't look at it."""


class _Resolver(HTTPSignatureComponentResolver):
    """Path and query as they came: the library parses URLs by the letter of RFC 3986, and clients
    send others, as `?a[]=1`.
    """

    message: _Message

    def get_path(self) -> str:
        return self.message.path or "/"

    def get_query(self) -> str:
        return f"?{self.message.query}"


class _KeyOf(HTTPSignatureKeyResolver):
    def __init__(self, keys: Known) -> None:
        self._keys = keys

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | bytes | None:
        return self._keys(key_id)


class _Library(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        """`_check_times` did, by the time that the caller gave."""


class Verifier:
    """Lets in requests that a known key signed under `tag`, each once."""

    def __init__(self, keys: Known, tag: str, *, seen: Replays, skew_s: int = SKEW_S) -> None:
        self._keys = keys
        self._tag = tag
        self._skew_s = skew_s
        self._replays = seen
        self._libraries: dict[Algorithm, Any] = {  # its faces are half typed
            algorithm: _Library(
                signature_algorithm=known,
                key_resolver=_KeyOf(keys),
                component_resolver_class=_Resolver,
            )
            for algorithm, known in _ALGORITHMS.items()
        }

    async def verify(self, request: Request, *, now: int) -> Verified:
        """Who signed the request; `now` in Unix seconds. Raises BadSignature.

        Whether there has to be an identity assertion, and whether it is for you, is the caller's
        to ask: one that is there is covered by the signature.
        """
        message = _message(request)
        components, params = _our_signature(message.headers)
        if params["tag"] != self._tag:
            _bad("signature-tag", f"tag {quoted(params['tag'])}, want {self._tag}")
        _check_components(components, message.headers, request.body)
        _check_times(params, now, self._skew_s)
        nonce, keyid, created = params["nonce"], params["keyid"], params["created"]
        if not NONCE_MIN <= len(nonce) <= NONCE_MAX:
            want = f"want {NONCE_MIN} to {NONCE_MAX}"
            _bad("signature-malformed", f"a nonce of {len(nonce)} characters, {want}")
        key = self._key(params)
        _check_digest(message.headers, request.body)
        self._check_signature(message, keyid, key)
        if await self._replays.seen(keyid, nonce, created + self._skew_s):
            _bad("signature-replayed", f"nonce {quoted(nonce)} of key {quoted(keyid)} came before")
        return Verified(keyid, created, nonce)

    def _key(self, params: dict[str, Any]) -> Ed25519PublicKey | bytes:
        """The key, which alone says the algorithm."""
        key = self._keys(params["keyid"])
        if key is None:
            _bad("signature-key", f"no key {quoted(params['keyid'])} is known here")
        if params["alg"] != _algorithm(key):
            _bad("signature-key", f"alg {quoted(params['alg'])}, want {_algorithm(key)}")
        return key

    def _check_signature(
        self, message: _Message, keyid: str, key: Ed25519PublicKey | bytes
    ) -> None:
        library = self._libraries[_algorithm(key)]
        try:
            library.verify(message, max_age=None, expect_tag=self._tag, expect_label=LABEL)
        except HTTPMessageSignaturesException as error:
            if isinstance(error.__cause__, WrongSignature) or isinstance(key, bytes):
                shown = "shared" if isinstance(key, bytes) else f"{text_of(key)[:8]}…"
                what = f"{message.method} {message.path or '/'} ?{message.query}"
                said = f"key {quoted(keyid)} ({shown}) did not sign this: {quoted(what)}"
                _bad("signature-wrong", said)
            _bad("signature-wrong", quoted(str(error)))


_ALGORITHMS: Final[dict[Algorithm, Any]] = {"ed25519": ED25519, "hmac-sha256": HMAC_SHA256}


def _algorithm(key: Ed25519PublicKey | bytes) -> Algorithm:
    return "hmac-sha256" if isinstance(key, bytes) else "ed25519"


def _bad(check: Check, seen: str) -> NoReturn:
    raise BadSignature(check, seen)


def quoted(text: str) -> str:
    """A stranger's words, shortened and harmless."""
    return ascii(text[:SEEN_MAX])


def _message(request: Request) -> _Message:
    """What the signature is about. Raises BadSignature for what can't have been signed."""
    wanted = {"signature-input", "signature", "content-digest", ASSERTION}
    lines = [
        (name, value.decode("latin-1").strip(" \t"))
        for name, value in ((n.decode("latin-1").lower(), v) for n, v in request.headers)
        if name in wanted
    ]
    target = f"{request.method}{request.path}{request.query}"
    for what, text in (*lines, ("method, path or query", target)):
        if not (text.isascii() and text.isprintable()):
            _bad("signature-malformed", f"{what} is not visible ASCII")
    if not re.fullmatch(r"[A-Z]+", request.method):
        _bad("signature-malformed", f"method {quoted(request.method)}")
    return _Message(request.method, request.path, request.query, _Lines(lines))


def _parsed(headers: _Lines, name: str) -> dict[str, Any]:
    """A header's dictionary (RFC 9651)."""
    text = headers.value(name)
    if text is None:
        _bad("signature-missing", f"no {name} header")
    if len(text) > FIELD_MAX:
        _bad("signature-malformed", f"{name} has {len(text)} characters, at most {FIELD_MAX}")
    twice: list[str] = []

    def duplicate(key: str, context: str) -> None:
        if context == "dictionary":
            twice.append(key)

    try:
        parsed = http_sf.parse(text.encode(), tltype="dictionary", on_duplicate_key=duplicate)
    except Exception as error:  # noqa: BLE001 (whatever a parser says of a stranger's bytes)
        _bad("signature-malformed", f"{name}: {quoted(str(error))}")
    if twice:
        _bad("signature-malformed", f"{name} has {quoted(twice[0])} twice")
    return cast("dict[str, Any]", parsed)


def _our_signature(headers: _Lines) -> tuple[list[Any], dict[str, Any]]:
    """Components and parameters of the one signature that is ours."""
    inputs, signatures = _parsed(headers, "signature-input"), _parsed(headers, "signature")
    for name, parsed in (("signature-input", inputs), ("signature", signatures)):
        if LABEL not in parsed:
            _bad("signature-missing", f"{name} has no {LABEL}, but {quoted(', '.join(parsed))}")
    components, params = inputs[LABEL]
    signature, beside = signatures[LABEL]
    if not isinstance(components, list) or not isinstance(signature, bytes) or beside:
        _bad("signature-malformed", f"want {LABEL}=(…) and {LABEL}=:…:")
    for name, kind in PARAMETER_TYPES.items():
        if type(params.get(name)) is not kind:
            fault = "is no " + ("integer" if kind is int else "string")
            _bad("signature-malformed", f"{name} {fault if name in params else 'is missing'}")
    unknown = params.keys() - PARAMETERS
    if unknown:
        _bad("signature-malformed", f"unknown parameter {quoted(min(unknown))}")
    return cast("list[Any]", components), params


def _check_components(components: list[Any], headers: _Lines, body: bytes | None) -> None:
    """Exactly what the wire asks for, in any order."""
    covered = [name if not params else http_sf.ser((name, params)) for name, params in components]
    want = {*ALWAYS, *(n for n in ("content-digest", ASSERTION) if headers.value(n) is not None)}
    if body:
        want.add("content-digest")
    names = {str(name) for name in covered}
    if want - names:
        _bad("signature-components", f"not covered: {', '.join(sorted(want - names))}")
    if names - want:
        seen = quoted(", ".join(sorted(names - want)))
        _bad("signature-components", f"covered, but not sent or not of the wire: {seen}")
    if len(covered) != len(names) or not all(type(name) is str for name in covered):
        _bad("signature-components", "a component twice, or one that is no string")


def _check_times(params: dict[str, Any], now: int, skew_s: int) -> None:
    behind = now - params["created"]
    if abs(behind) > skew_s:
        side = "behind" if behind > 0 else "ahead of"
        seen = f"created is {abs(behind)} s {side} this clock ({now}), at most {skew_s} s"
        _bad("signature-created", seen)
    expires = params.get("expires", now)
    if type(expires) is not int:
        _bad("signature-malformed", "expires is no integer")
    if expires < now - skew_s:
        _bad("signature-created", f"expired {now - expires} s ago by this clock ({now})")


def _check_digest(headers: _Lines, body: bytes | None) -> None:
    value = headers.value("content-digest")
    if value is None:
        if body:
            _bad("signature-digest", f"no content-digest for a body of {len(body)} bytes")
        return
    try:
        ContentDigest.verify(value, body or b"")
    except Exception as error:  # noqa: BLE001 (whatever a parser says of a stranger's bytes)
        _bad("signature-digest", f"{quoted(str(error))}; the body has {len(body or b'')} bytes")
