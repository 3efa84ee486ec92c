"""What an authenticator answered, checked (Web Authentication Level 3, sections 7.1 and 7.2).

The library checks what is signed; the frame around it, limits and kinds are checked here first. Whoever
wrote these bytes may be anybody: whatever a reader makes of them is one refusal.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Final, Literal, NoReturn, TypeVar, cast

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm as NoSuchAlgorithm
from msgspec import Struct
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authenticator_data,
    parse_cbor,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from civicmall.kernel import logs

from .errors import CeremonyOver, PasskeyNotTaken, PasskeyRefused
from .models import Assertion, Attestation
from .rules import ALGORITHMS, Party, bytes_of, text_of

log = logs.get("identity")
T = TypeVar("T")
FORMATS: Final = frozenset({AttestationFormat.NONE.value, AttestationFormat.PACKED.value})
"""We ask for no attestation. Some devices sign with the new key itself all the same (`packed` without
certificates), which costs nothing to check; certificates of makers we neither want nor read."""
ID_MIN: Final = 16
UNREADABLE: Final = (
    WebAuthnException, InvalidSignature, NoSuchAlgorithm, msgspec.MsgspecError, ValueError, TypeError,
    LookupError, AttributeError, ArithmeticError, RecursionError,
)  # fmt: skip
"""What readers of hostile bytes raise."""


class ClientData(Struct, frozen=True, rename={"cross_origin": "crossOrigin"}):
    """What the browser says of where and what it asked (section 5.8.1)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False


class Attested(Struct, frozen=True):
    """A new passkey."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool


class Asserted(Struct, frozen=True):
    """A signature that holds."""

    sign_count: int
    backed_up: bool


def attested(party: Party, challenge: bytes, said: Attestation) -> Attested:
    """Check a new passkey. Raises PasskeyNotTaken, CeremonyOver."""
    return _read(lambda: _attested(party, challenge, said), PasskeyNotTaken)


def asserted(
    party: Party, challenge: bytes, said: Assertion, public_key: bytes, *, eligible: bool
) -> Asserted:
    """Check a signature with the public key of a known passkey; `eligible` is whether that could be
    backed up when it was made, which never changes. The counter is the caller's to judge: before the
    signature holds, it is anybody's. Raises PasskeyRefused, CeremonyOver.
    """
    return _read(
        lambda: _asserted(party, challenge, said, public_key, eligible=eligible), PasskeyRefused
    )


def _read(check: Callable[[], T], refusal: type[PasskeyNotTaken | PasskeyRefused]) -> T:
    try:
        return check()
    except UNREADABLE as error:
        log.info("passkey.refused", why=f"{type(error).__name__}: {error}"[:200])
        raise refusal from error


def _attested(party: Party, challenge: bytes, said: Attestation) -> Attested:
    frame = bytes_of(said.response.client_data_json)
    _frame(frame, "webauthn.create", party, challenge)
    raw = bytes_of(said.response.attestation_object)
    _sound(parse_cbor(raw))
    parsed = parse_attestation_object(raw)
    if parsed.fmt not in FORMATS or parsed.att_stmt.x5c:
        _refuse("an attestation that we don't ask for")
    found = verify_registration_response(
        credential=RegistrationCredential(
            said.id,
            bytes_of(said.raw_id),
            AuthenticatorAttestationResponse(frame, raw),
        ),
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=list(party.origins),
        require_user_verification=True,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(one) for one in ALGORITHMS],
    )
    if not hmac.compare_digest(found.credential_id, bytes_of(said.raw_id)):
        _refuse("two ids")
    if len(found.credential_id) < ID_MIN:
        _refuse("an id that is too short")
    # A key that is none would be found out only when its owner can't sign in.
    decoded_public_key_to_cryptography(decode_credential_public_key(found.credential_public_key))
    return Attested(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        parsed.auth_data.flags.be,
        found.credential_backed_up,
    )


def _asserted(
    party: Party, challenge: bytes, said: Assertion, public_key: bytes, *, eligible: bool
) -> Asserted:
    frame = bytes_of(said.response.client_data_json)
    _frame(frame, "webauthn.get", party, challenge)
    data = bytes_of(said.response.authenticator_data)
    found = verify_authentication_response(
        credential=AuthenticationCredential(
            said.id,
            bytes_of(said.raw_id),
            AuthenticatorAssertionResponse(frame, data, bytes_of(said.response.signature)),
        ),
        expected_challenge=challenge,
        expected_rp_id=party.id,
        expected_origin=list(party.origins),
        credential_public_key=public_key,
        credential_current_sign_count=0,
        require_user_verification=True,
    )
    if parse_authenticator_data(data).flags.be != eligible:
        _refuse("another backup eligibility")
    return Asserted(found.new_sign_count, found.credential_backed_up)


def _sound(said: object) -> None:
    """The library makes bytes of whatever stands for the authenticator's data; of a number that is as
    many zeros, and nobody has so much memory.
    """
    members = cast("dict[object, object]", said) if isinstance(said, dict) else {}
    if type(members.get("authData")) is not bytes:
        _refuse("no authenticator data")


def _frame(
    raw: bytes, kind: Literal["webauthn.create", "webauthn.get"], party: Party, challenge: bytes
) -> None:
    """Kind, challenge and origin of what the browser asked. Raises CeremonyOver where the challenge is
    another.
    """
    said = msgspec.json.decode(raw, type=ClientData)
    if said.type != kind:
        _refuse("another kind of ceremony")
    if said.origin not in party.origins:
        _refuse("another origin")
    if said.cross_origin:
        _refuse("inside another site's page")
    if not hmac.compare_digest(said.challenge.encode(), text_of(challenge).encode()):
        log.info("passkey.refused", why="another challenge")
        raise CeremonyOver


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)
