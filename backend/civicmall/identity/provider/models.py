"""Nouns of the OpenID Provider."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from civicmall.identity.signing import Algorithm

Kind = Literal["confidential", "public"]
Method = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
Status = Literal["draft", "active", "retired"]
ClaimName = Literal["name", "phone", "id_number", "birth_date", "sex", "level"]
"""What can be known of a citizen; the same names that consents use."""
CLAIMS: Final[tuple[str, ...]] = get_args(ClaimName)
Scope = Literal[
    "openid", "profile", "phone", "real_name", "birth_date", "sex", "level", "offline_access"
]
SCOPES: Final[dict[str, tuple[ClaimName, ...]]] = {
    "openid": (),
    "profile": ("name",),
    "phone": ("phone",),
    "real_name": ("name", "id_number"),
    "birth_date": ("birth_date",),
    "sex": ("sex",),
    "level": ("level",),
    "offline_access": (),
}
"""Scope → the claims that it asks for (OpenID Connect Core section 5.4)."""
OIDC: Final[dict[str, str]] = {
    "name": "name", "phone": "phone_number", "id_number": "id_number", "birth_date": "birthdate",
    "sex": "gender", "level": "level",
}  # fmt: skip
"""Claim → what OpenID Connect Core section 5.1 calls it, where it does."""

ClientId = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]{2,39}$(?!\n)", description="A client's name for machines.")
]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Words = Annotated[dict[Literal["zh-CN", "en"], Line], Meta(min_length=2, max_length=2)]
Address = Annotated[str, Meta(min_length=1, max_length=400)]


class ClaimAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client wants to know, and what for."""

    purpose: Words
    optional: bool = False
    """The citizen may leave it out and is served all the same."""


class Registration(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client as an operator drafts it (RFC 7591 section 2, with purposes)."""

    client_id: ClientId
    kind: Kind
    native: bool = False
    """An app on a device: its loopback redirect may come from any port (RFC 8252 section 7.3)."""
    owner: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*$")]
    """Who answers for it: the organisation."""
    name: Words
    purpose: Words
    redirect_uris: Annotated[list[Address], Meta(min_length=1, max_length=20)]
    post_logout_redirect_uris: Annotated[list[Address], Meta(max_length=20)] = []
    backchannel_logout_uri: Address | None = None
    auth_method: Method
    jwks: dict[str, Any] | None = None
    """The public keys of private_key_jwt; nothing else is ever taken for its keys."""
    sector: Annotated[str, Meta(pattern=r"^[a-z0-9.-]{1,253}$(?!\n)")] | None = None
    """Clients of one sector know a citizen by the same `sub`; None: the redirects' one host."""
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=8)]
    claims: dict[ClaimName, ClaimAsk] = {}
    min_level: Annotated[int, Meta(ge=1, le=3)] = 1
    par_required: bool = False
    id_token_alg: Algorithm = "ES256"  # noqa: S105 (an algorithm)


class Client(Struct, frozen=True):
    """A version of a client as stored."""

    client_id: str
    version: int
    status: Status
    kind: Kind
    native: bool
    owner: str
    name: dict[str, str]
    purpose: dict[str, str]
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str]
    backchannel_logout_uri: str | None
    auth_method: Method
    jwks: dict[str, Any] | None
    sector: str
    scopes: list[str]
    claims: dict[str, Any]
    min_level: int
    par_required: bool
    id_token_alg: Algorithm
    drafted_by: UUID
    drafted_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None

    @property
    def grantee(self) -> str:
        """What a citizen's consents and audit call it."""
        return f"client:{self.client_id}"

    def asks(self) -> dict[str, ClaimAsk]:
        """Claim → what for."""
        return msgspec.convert(self.claims, dict[str, ClaimAsk])


class AuthRequest(Struct, frozen=True, omit_defaults=True):
    """An authorization request that was found good, as it is kept."""

    redirect_uri: str
    scope: list[str]
    challenge: str
    state: str | None = None
    nonce: str | None = None
    prompt: list[str] = []
    max_age_s: int | None = None
    level: int = 1
    """The real-name level that `acr_values` asks for."""
    claims: list[str] = []
    """Everything asked for, by scopes and by the `claims` parameter."""
    subject: str | None = None
    """The `sub` of `id_token_hint`: only this citizen will do."""
    lang: Literal["zh-CN", "en"] | None = None


class TicketRow(Struct, frozen=True):
    """A request that a citizen is answering, as stored."""

    client_id: str
    request: dict[str, Any]
    made_at: datetime


class Ticket(Struct, frozen=True):
    """The same, opened."""

    id: UUID
    client: Client
    request: AuthRequest
    made_at: datetime


class CodeRow(Struct, frozen=True):
    """A code that was tried before, or by whom it isn't for."""

    client_id: str
    used_before: bool


class Grant(Struct, frozen=True):
    """What a client may do in a citizen's name since one signing in."""

    id: UUID
    citizen_id: UUID
    session_id: UUID
    client_id: str
    scope: list[str]
    claims: list[str]
    offline: bool
    acr: int
    amr: list[str]
    auth_time: datetime
    generation: int
    just_rotated: bool
    nonce: str | None


class Access(Struct, frozen=True):
    """What a client's access token says (RFC 9068); who the citizen is only we can read in it."""

    client_id: str
    grant_id: UUID
    session_id: UUID
    scope: list[str]
    claims: list[str]
    offline: bool
    sub: str
    exp: int
    iat: int
    jti: str
    acr: str
    auth_time: int


class TokenAnswer(Struct, frozen=True, omit_defaults=True):
    """What the token endpoint says (RFC 6749 section 5.1; RFC 8693 section 2.2.1)."""

    access_token: str
    token_type: str
    expires_in: int
    """Seconds."""
    scope: str = ""
    refresh_token: str = ""
    id_token: str = ""
    issued_token_type: str = ""


class Pushed(Struct, frozen=True):
    """What stands for a pushed request (RFC 9126 section 2.2)."""

    request_uri: str
    expires_in: int
    """Seconds."""


class Refusal(Struct, frozen=True, omit_defaults=True):
    """A refusal of the OAuth endpoints (RFC 6749 section 5.2)."""

    error: str
    error_description: str = ""


class Drafted(Struct, frozen=True):
    """Which version of which client."""

    client_id: str
    version: int


class Approval(Struct, frozen=True, forbid_unknown_fields=True):
    """The version that was looked at; another by now is not approved with it."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


class ClientSecret(Struct, frozen=True):
    """A client's new secret; nobody can show it again."""

    client_id: str
    client_secret: str
    last_works_s: int
    """Seconds for which the one before still works."""
