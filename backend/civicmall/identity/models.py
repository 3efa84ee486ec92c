"""Nouns of the identity centre."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

Phone = Annotated[
    str, Meta(pattern=r"^1[3-9][0-9]{9}$(?!\n)", description="A mainland mobile number.")
]
Code = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)")]
Device = Annotated[str, Meta(max_length=80, pattern=r"^[^\x00]*$")]
"""PostgreSQL keeps every character but NUL."""
Role = Literal["operator", "department"]


May = Literal["view", "apply", "pay"]
"""What somebody may do for another: look, hand in and book, spend money."""


class Actor(Struct, frozen=True):
    """Who acts for a citizen or an enterprise, by which delegation, and how far that goes."""

    id: UUID
    """The citizen who acts; the session is theirs."""
    delegation: UUID
    may: frozenset[May]
    shops: frozenset[str] | None = None
    """The only shops it holds for; None: all."""


class Caller(Struct, frozen=True):
    """Whose affairs a request is about. `level` is their real-name assurance: 1 phone, 2 register,
    3 face.
    """

    citizen_id: UUID
    """Whose data, cases and orders these are: the signed-in citizen, or whom `actor` acts for."""
    session_id: UUID
    level: int
    acting: str = ""
    """By what the platform acts for a citizen who isn't there (`mandate`); the lines in which the
    citizen sees who looked at their data begin with it. Empty for the citizen."""
    actor: Actor | None = None
    """Who acts for the citizen; None: the citizen."""


class Staff(Struct, frozen=True):
    """Somebody who works here; of a department (`shop`) or as an operator of the platform."""

    staff_id: UUID
    session_id: UUID
    name: str
    role: Role
    shop: str | None


class CodeAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to send a one-time code."""

    phone: Phone


class CodeSent(Struct, frozen=True):
    """The same for every phone, known or not."""

    expires_in_s: int
    resend_after_s: int


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A phone and the code that was sent to it."""

    phone: Phone
    code: Code
    device: Device = ""


class RefreshAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token of the last answer; it works once."""

    refresh_token: Annotated[str, Meta(min_length=1, max_length=200)]


class StaffSignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A staff account's name and password."""

    username: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]
    password: Annotated[str, Meta(min_length=1, max_length=200)]


class TokenPair(Struct, frozen=True):
    """What a client keeps (RFC 6749 section 5.1). `expires_in` is the access token's, seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (the word itself)


class Verification(Struct, frozen=True, forbid_unknown_fields=True):
    """What the authority's register is asked."""

    name: Annotated[str, Meta(min_length=2, max_length=60)]
    id_number: Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]$(?!\n)")]


class Profile(Struct, frozen=True):
    """A citizen as shown to that citizen; name, number and phone are masked."""

    id: UUID
    level: int
    phone: str
    name: str | None
    id_number: str | None
    facts: dict[str, Any]
    """Attribute → value: what the register attests and what the citizen declared."""
    declared: list[str]
    """Which of the facts are the citizen's own word."""


class Verified(Struct, frozen=True):
    """The profile at its new level, and an access token that carries it."""

    profile: Profile
    access_token: str
    expires_in: int


class Declaration(Struct, frozen=True, forbid_unknown_fields=True):
    """Facts in the citizen's own words; null forgets one."""

    facts: Annotated[dict[str, Any], Meta(min_length=1, max_length=20)]


class CitizenRow(Struct, frozen=True):
    """A citizen as stored: everything personal is sealed."""

    id: UUID
    level: int
    phone: bytes
    name: bytes | None
    id_number: bytes | None
    attested: bytes | None
    declared: bytes | None


class GivenRow(Struct, frozen=True):
    """What a shop may see of a citizen, sealed, and what the citizen agreed to."""

    agreed: list[str]
    given: list[str]
    phone: bytes
    name: bytes | None
    id_number: bytes | None
    attested: bytes | None


class Given(Struct, frozen=True):
    """The same, opened: claims by name, and everything that the citizen agreed to."""

    agreed: frozenset[str]
    claims: dict[str, str]


class SessionRow(Struct, frozen=True):
    """A session as its refresh token needs it."""

    owner: UUID
    generation: int
    just_rotated: bool
    level: int | None


class SessionView(Struct, frozen=True):
    """One device that is signed in."""

    id: UUID
    device: str
    created_at: datetime
    last_used_at: datetime


class StaffRow(Struct, frozen=True):
    """A staff account."""

    id: UUID
    password: str
    name: str
    role: Role
    shop: str | None


class ConsentAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """The facts that the citizen agrees to give; others the app asks for are refused."""

    claims: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=8)]


class Consent(Struct, frozen=True):
    """What a citizen agreed that an app gets."""

    shop: str
    app: str
    claims: list[str]
    given_at: datetime


class AccessRow(Struct, frozen=True):
    """Who read a citizen's data, what for, and how often on that day."""

    day: date
    reader: str
    claims: list[str]
    purpose: str
    times: int
    last_at: datetime


class SandboxMessage(Struct, frozen=True):
    """A text message that the sandbox's sender would have sent."""

    to: str
    text: str
    sent_at: datetime


class SandboxPerson(Struct, frozen=True):
    """A synthetic citizen to try things with; `code` is today's one-time code once asked for."""

    persona: str
    name: str
    id_number: str
    phone: str
    code: str
