"""Nouns of signing in through an upstream."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from civicmall.identity.models import Device, TokenPair

Way = Literal["web", "app"]
"""Where the upstream sends the citizen back to: our pages, or the mobile app."""
Opaque = Annotated[str, Meta(min_length=1, max_length=4_096, pattern=r"^[A-Za-z0-9_=-]+$(?!\n)")]
"""Sealed by us, carried by the browser or the app."""
Said = Annotated[str, Meta(max_length=2_000, pattern=r"^[\x20-\x7e]*$(?!\n)")]
"""A parameter that came back from the upstream."""


class Metadata(Struct, frozen=True):
    """What we read of a provider's metadata (OpenID Connect Discovery 1.0, section 3; RFC 8414)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    response_types_supported: tuple[str, ...] = ("code",)
    code_challenge_methods_supported: tuple[str, ...] | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False
    """RFC 9207, section 3."""


class KeysAnswer(Struct, frozen=True):
    """A key set (RFC 7517); each key is looked at by itself."""

    keys: list[Any]


class TokenAnswer(Struct, frozen=True):
    """A token endpoint's good answer (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3)."""

    access_token: Annotated[str, Meta(min_length=1, max_length=16_384)]
    id_token: Annotated[str, Meta(min_length=1, max_length=32_768)]
    token_type: Annotated[str, Meta(max_length=20)]


class RefusedAnswer(Struct, frozen=True):
    """Its refusal (RFC 6749 section 5.2)."""

    error: Annotated[str, Meta(max_length=100)] = ""


class Flow(Struct, frozen=True):
    """One way out and back; sealed, in the browser's cookie or with the app."""

    way: Way
    state: str
    nonce: str
    verifier: str
    """PKCE (RFC 7636)."""
    issuer: str
    at: datetime
    next: str = "/"
    link: bool = False
    """Whether a signed-in citizen wants to connect, not to sign in."""


class Back(Struct, frozen=True):
    """What the upstream sent the citizen back with (RFC 6749 section 4.1.2, RFC 9207)."""

    state: str = ""
    code: str = ""
    iss: str | None = None
    error: str = ""


class Person(Struct, frozen=True):
    """Whom the upstream vouches for: only claims that it is trusted for are here."""

    issuer: str
    sub: str
    phone: str | None = None
    name: str | None = None
    id_number: str | None = None
    shown: str = ""
    """Enough for its owner to recognise the account."""


class Ticket(Struct, frozen=True):
    """A proven account at the upstream that waits for its citizen here; sealed, good once."""

    id: str
    person: Person
    at: datetime


class UpstreamLink(Struct, frozen=True):
    """An account elsewhere that signs this citizen in."""

    id: UUID
    issuer: str
    linked_at: datetime
    used_at: datetime


class UpstreamView(Struct, frozen=True):
    """The provider that citizens may sign in with."""

    name: str
    issuer: str
    app: bool
    """Whether a mobile app can use it, too."""


class UpstreamStart(Struct, frozen=True, forbid_unknown_fields=True):
    """An app begins. `link`: to connect accounts, not to sign in."""

    link: bool = False


class UpstreamStarted(Struct, frozen=True):
    """Open `url` in the system's browser (RFC 8252); keep `flow` in memory, show it to nobody."""

    url: str
    flow: str
    expires_in_s: int


class UpstreamFinish(Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of the address that the app was opened with, and the `flow` it kept."""

    flow: Opaque
    state_: Said = field(name="state")
    code: Said = ""
    iss: Said | None = None
    error: Said = ""
    device: Device = ""


class LinkAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The citizen agrees that the account in this ticket signs them in from now on."""

    ticket: Opaque


class Finished(Struct, frozen=True):
    """Signed in. `trouble` says why the real name was not taken over, if it wasn't."""

    pair: TokenPair
    citizen_id: UUID
    trouble: str = ""


Claims = dict[str, Any]
