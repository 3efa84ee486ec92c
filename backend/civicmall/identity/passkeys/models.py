"""Nouns of passkeys. What browsers send and get has the names of the standard (Web Authentication
Level 3, section 5.1.8: the JSON of `PublicKeyCredential`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.identity.models import Device

from .rules import NAME_MAX

URL64 = r"^[A-Za-z0-9_-]+$(?!\n)"
CredentialId = Annotated[str, Meta(pattern=URL64, min_length=22, max_length=1364)]
"""16 to 1023 bytes."""
Handle = Annotated[str, Meta(pattern=URL64, min_length=2, max_length=86)]
ClientDataJson = Annotated[str, Meta(pattern=URL64, max_length=4_096)]
Ceremony = Annotated[str, Meta(pattern=URL64, max_length=1_000)]
PasskeyName = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
Kind = Literal["citizen", "staff"]
Transport = Literal["usb", "nfc", "ble", "smart-card", "hybrid", "internal", "cable"]


class AttestationResponse(
    Struct, frozen=True,
    rename={"client_data_json": "clientDataJSON", "attestation_object": "attestationObject"},
):  # fmt: skip
    """What an authenticator made. Other members of the standard are not needed."""

    client_data_json: ClientDataJson
    attestation_object: Annotated[str, Meta(pattern=URL64, max_length=16_384)]
    transports: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=16)] = []


class Attestation(Struct, frozen=True, rename={"raw_id": "rawId"}):
    """`RegistrationResponseJSON`: the answer to `navigator.credentials.create()`."""

    id: CredentialId
    raw_id: CredentialId
    type: Literal["public-key"]
    response: AttestationResponse


class AssertionResponse(
    Struct, frozen=True,
    rename={
        "client_data_json": "clientDataJSON", "authenticator_data": "authenticatorData",
        "user_handle": "userHandle",
    },
):  # fmt: skip
    """What an authenticator signed, and for whom."""

    client_data_json: ClientDataJson
    authenticator_data: Annotated[str, Meta(pattern=URL64, max_length=4_096)]
    signature: Annotated[str, Meta(pattern=URL64, max_length=2_048)]
    user_handle: Handle


class Assertion(Struct, frozen=True, rename={"raw_id": "rawId"}):
    """`AuthenticationResponseJSON`: the answer to `navigator.credentials.get()`."""

    id: CredentialId
    raw_id: CredentialId
    type: Literal["public-key"]
    response: AssertionResponse


class PasskeySignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey's answer, and the ceremony that it was asked in."""

    ceremony: Ceremony
    credential: Assertion
    device: Device = ""


class PasskeyAdd(Struct, frozen=True, forbid_unknown_fields=True):
    """A new passkey, the ceremony that it was made in, and what its owner calls it."""

    ceremony: Ceremony
    credential: Attestation
    name: PasskeyName = ""


class PasskeyRename(Struct, frozen=True, forbid_unknown_fields=True):
    """What its owner calls a passkey."""

    name: PasskeyName


class PasskeyRef(Struct, frozen=True):
    """A passkey as browsers are told of it."""

    id: str
    transports: list[str]
    type: Literal["public-key"] = "public-key"


class RelyingParty(Struct, frozen=True):
    """Whose passkeys these are."""

    id: str
    name: str


class PasskeyUser(Struct, frozen=True, rename="camel"):
    """For whom; `id` tells nothing of them, `name` is what their device shows."""

    id: str
    name: str
    display_name: str


class KeyKind(Struct, frozen=True):
    """A kind of key that is taken (COSE algorithm)."""

    alg: int
    type: Literal["public-key"] = "public-key"


class Selection(Struct, frozen=True, rename="camel"):
    """A passkey that can be found without a name, and whose user is verified."""

    resident_key: Literal["required"] = "required"
    require_resident_key: Literal[True] = True
    user_verification: Literal["required"] = "required"


class CreationOptions(Struct, frozen=True, rename="camel"):
    """`PublicKeyCredentialCreationOptionsJSON`; `timeout` in milliseconds."""

    rp: RelyingParty
    user: PasskeyUser
    challenge: str
    pub_key_cred_params: list[KeyKind]
    timeout: int
    exclude_credentials: list[PasskeyRef]
    authenticator_selection: Selection = Selection()
    attestation: Literal["none"] = "none"


class RequestOptions(Struct, frozen=True, rename="camel"):
    """`PublicKeyCredentialRequestOptionsJSON`; no passkey is named, so any of this city's may answer."""

    challenge: str
    rp_id: str
    timeout: int
    allow_credentials: list[PasskeyRef] = []
    user_verification: Literal["required"] = "required"


class AddAsked(Struct, frozen=True):
    """What to make a passkey with. `ceremony` comes back with the answer, within `expires_in_s`."""

    ceremony: str
    expires_in_s: int
    public_key: CreationOptions


class SignInAsked(Struct, frozen=True):
    """What to sign. `ceremony` comes back with the answer, within `expires_in_s`."""

    ceremony: str
    expires_in_s: int
    public_key: RequestOptions


class Passkey(Struct, frozen=True):
    """A passkey as its owner sees it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    synced: bool
    """Whether it is backed up, so that it outlives the device."""
    set_aside: bool
    """Whether it isn't taken any more, for there may be a copy of it."""


class PasskeyRow(Struct, frozen=True):
    """A passkey as its owner's list needs it; the name is sealed."""

    id: UUID
    name: bytes
    credential_id: bytes
    transports: list[str]
    backed_up: bool
    created_at: datetime
    last_used_at: datetime | None
    set_aside: bool


class KeyRow(Struct, frozen=True):
    """A passkey as signing in needs it."""

    id: UUID
    owner: UUID
    kind: Kind
    public_key: bytes
    backup_eligible: bool
    set_aside: bool
