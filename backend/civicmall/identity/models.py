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
Role = Literal["operator", "manager", "agent", "auditor"]
"""Operators run the platform; a department has managers and agents; auditors read what is no
personal data, and change nothing."""


Kind = Literal["person", "enterprise"]
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
    until: int | None = None
    """When it ends by itself, Unix seconds: no token made from it lives longer. None: when it is ended."""


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
    app: str = ""
    """The mini-app, `shop/app`, that the token was exchanged for; empty for the citizen's own."""
    scope: frozenset[str] = frozenset()
    """The capabilities that such a token is good for; without meaning for the citizen's own."""


class Staff(Struct, frozen=True):
    """Somebody who works here; of a department (`shop`), or of the platform (an operator, an auditor)."""

    staff_id: UUID
    session_id: UUID
    name: str
    role: Role
    shop: str | None
    enrolling: bool = False
    """Signed in with a password where a second factor is needed: may enrol one, and nothing else."""


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
    """Empty for a child's or an enterprise's account."""
    name: str | None
    id_number: str | None
    facts: dict[str, Any]
    """Attribute → value: what the register attests and what the citizen declared."""
    declared: list[str]
    """Which of the facts are the citizen's own word."""
    kind: Kind = "person"
    uscc: str | None = None
    """An enterprise's unified social credit code (GB 32100)."""
    verified_at: datetime | None = None
    """Since when the level is what it is, from 2 on; a level may be too old for some."""


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
    phone: bytes | None
    """None for whom a register vouches for: a child, an enterprise."""
    name: bytes | None
    id_number: bytes | None
    attested: bytes | None
    declared: bytes | None
    """What was declared before facts had a source and a date each; read on until it moves."""
    created_at: datetime
    verified_at: datetime | None
    names: list[str]
    """Of the attributes that were told one by one; the next four go with it, place by place."""
    sources: list[str]
    values: list[bytes]
    as_ofs: list[date]
    told_ats: list[datetime]
    events: list[bytes]
    """Life events, with when each was told."""
    events_told: list[datetime]
    disputed: list[str]
    """`name/source` of what the citizen objected to, with since when."""
    disputed_ats: list[datetime]
    off: list[str]
    """Attributes that no recommendation may rest on."""
    kind: Kind = "person"
    uscc: bytes | None = None
    seen_at: datetime | None = None
    """Since when level 3; the register's word is as old as `verified_at`."""


class SessionRow(Struct, frozen=True):
    """A session as its refresh token needs it."""

    owner: UUID
    generation: int
    just_rotated: bool
    level: int | None


class DeviceRow(Struct, frozen=True):
    """A session as its owner's list needs it; `place` is sealed."""

    id: UUID
    device: str
    created_at: datetime
    last_used_at: datetime
    amr: list[str]
    place: bytes | None


class SigningKeyRow(Struct, frozen=True):
    """A generation of signing keys as stored."""

    generation: int
    made_at: datetime
    signs_from: datetime
    ends_at: datetime | None
    rsa: bytes


class SessionView(Struct, frozen=True):
    """One device that is signed in. It was seen first when it signed in, last when its session was
    renewed, which happens every ten minutes of use.
    """

    id: UUID
    device: str
    created_at: datetime
    last_used_at: datetime
    amr: list[str]
    """How it signed in (RFC 8176)."""
    network: str | None
    """The network it signed in from, as `203.0.113.0/24`; null where that isn't known."""
    here: bool
    """Whether it is the one that asks."""


class SignedIn(Struct, frozen=True):
    """When and how somebody signed in (OpenID Connect's `auth_time` and `amr`)."""

    owner: UUID
    kind: Literal["citizen", "staff"]
    at: datetime
    amr: list[str]
    recent: bool
    """Within the last ten minutes, by the database's clock."""


class Place(Struct, frozen=True):
    """From where a session is opened, as it is kept."""

    network: bytes
    """Sealed."""
    seen: bytes
    """A keyed hash of owner, device and network."""


class SandboxMessage(Struct, frozen=True):
    """A text message that the sandbox's sender would have sent."""

    to: str
    text: str
    sent_at: datetime


class SandboxStaff(Struct, frozen=True):
    """A synthetic member of staff; the password of all is `sandbox.PASSWORD`."""

    username: str
    name: str
    role: Role
    shop: str | None = None


class SandboxPrincipal(Struct, frozen=True):
    """Whom a synthetic citizen may have it proved that they act for."""

    kind: Literal["child", "representative"]
    name: str
    number: str
    """ID number of a child, unified social credit code of an enterprise."""


class SandboxPerson(Struct, frozen=True):
    """A synthetic citizen to try things with; `code` is today's one-time code once asked for."""

    persona: str
    name: str
    id_number: str
    phone: str
    code: str
    acts_for: list[SandboxPrincipal] = []
    """Children and enterprises, as the registers have them."""
