"""Nouns of what was agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.kernel.i18n import Text

ClaimWord = Annotated[str, Meta(max_length=40)]


class ConsentAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The facts that the citizen agrees to give; others the app asks for are refused.

    `purposes` has, for each claim, the zh-CN text that the citizen was shown: where the app asks for
    another purpose by now, nothing is agreed to. Left out, it is what the app says now.
    """

    claims: Annotated[list[ClaimWord], Meta(min_length=1, max_length=8)]
    purposes: (
        Annotated[dict[ClaimWord, Annotated[str, Meta(max_length=400)]], Meta(max_length=8)] | None
    ) = None


class GivenClaim(Struct, frozen=True):
    """One claim for one purpose; the purpose as it was shown, by language."""

    claim: str
    purpose: Text
    given_at: datetime
    given_by: UUID | None
    """Who acted for the citizen; null: the citizen."""


class Consent(Struct, frozen=True):
    """Everything that one app, or one client, may know."""

    grantee: str
    """`shop/app` or `client:<client_id>`."""
    shop: str | None
    app: str | None
    client: str | None
    claims: list[str]
    given: list[GivenClaim]
    given_at: datetime
    """When the newest of them was given."""
    last_used_at: datetime | None
    """When the grantee was last told something."""


class PastConsent(Struct, frozen=True):
    """What was agreed to once and was taken back."""

    grantee: str
    claim: str
    purpose: Text
    given_at: datetime
    given_by: UUID | None
    taken_back_at: datetime
    taken_back_by: UUID | None


class ConsentRow(Struct, frozen=True):
    """One claim and purpose as stored."""

    grantee: str
    claim: str
    purpose: str
    texts: Text
    given_at: datetime
    given_by: UUID | None
    last_used_at: datetime | None


class PastRow(Struct, frozen=True):
    """The same once it was taken back."""

    grantee: str
    claim: str
    purpose: str
    texts: Text
    given_at: datetime
    given_by: UUID | None
    taken_back_at: datetime
    taken_back_by: UUID | None


class GivenRow(Struct, frozen=True):
    """What a shop may see of a citizen, sealed, and for each claim whether the citizen agreed."""

    begun: bool
    """Whether the citizen has a chain for the line that this leaves."""
    agreed: list[bool]
    given: list[str]
    phone: bytes | None
    name: bytes | None
    id_number: bytes | None
    attested: bytes | None
    uscc: bytes | None


class Given(Struct, frozen=True):
    """The same, opened: claims by name, and the pairs of claim and purpose that were agreed to."""

    agreed: frozenset[tuple[str, str]]
    claims: dict[str, str]
