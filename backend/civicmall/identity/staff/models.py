"""Nouns of staff's accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.identity.models import Role, TokenPair

Factor = Literal["totp", "recovery", "passkey"]
Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$", description="Why.")
]
Totp = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)", description="Six digits, of RFC 6238.")]


class SignInRow(Struct, frozen=True):
    """A staff account as signing in needs it."""

    id: UUID
    password: str
    name: str
    role: Role
    shop: str | None
    totp: bool
    passkey: bool


class StandingRow(Struct, frozen=True):
    """What an account's session is good for now."""

    name: str
    role: Role
    shop: str | None
    proved: bool
    """The session was opened with a second factor."""
    enrolled: bool


class TotpRow(Struct, frozen=True):
    """A secret, sealed, and the newest step of which a code was taken."""

    secret: bytes
    last_step: int


class EnrolmentRow(Struct, frozen=True):
    """A secret that was shown to a session and is not confirmed yet."""

    secret: bytes
    replaces: bool


class FactorCode(Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket that the password got, and the code that the authenticator shows now."""

    ticket: Annotated[str, Meta(min_length=20, max_length=100)]
    code: Totp


class RecoveryCode(Struct, frozen=True, forbid_unknown_fields=True):
    """The ticket that the password got, and one of the codes kept for the day without the phone."""

    ticket: Annotated[str, Meta(min_length=20, max_length=100)]
    code: Annotated[str, Meta(min_length=1, max_length=40)]


class Factors(Struct, frozen=True):
    """The second factors of the account that asks."""

    required: bool
    """Whether this installation asks for one."""
    totp: bool
    totp_since: datetime | None
    passkey: bool
    recovery_codes_left: int


class Enrol(Struct, frozen=True, forbid_unknown_fields=True):
    """Begins a set-up. Who has a factor already proves it with its present code."""

    code: Totp | None = None


class Enrolment(Struct, frozen=True):
    """What goes into an authenticator: by QR code (`uri`), or typed. Shown once."""

    secret: str
    """Base32 (RFC 4648), in groups of four."""
    uri: str
    """`otpauth://totp/…` (Key Uri Format)."""
    expires_in_s: int


class Confirm(Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator that was just set up, or, for new recovery codes, that serves."""

    code: Totp


class RecoveryCodes(Struct, frozen=True):
    """Ten codes, each good once, shown this once."""

    codes: list[str]


class Enrolled(Struct, frozen=True):
    """The factor holds from now on; every other session of the account has ended."""

    recovery_codes: list[str]
    tokens: TokenPair


class NewPassword(Struct, frozen=True, forbid_unknown_fields=True):
    """The password that serves, and the one that shall."""

    current: Annotated[str, Meta(min_length=1, max_length=200)]
    new: Annotated[str, Meta(min_length=1, max_length=200)]


class StaffAccount(Struct, frozen=True):
    """An account as operators and auditors see it."""

    username: str
    name: str
    role: Role
    shop: str | None
    active: bool
    second_factor: bool
    waiting: bool
    """It waits after wrong passwords or codes."""
    made_at: datetime
    password_at: datetime


class ResetAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody's second factor shall be taken off: a lost phone, usually."""

    reason: Reason


class FactorReset(Struct, frozen=True):
    """A colleague's second factor that shall be taken off; another operator decides."""

    id: UUID
    username: str
    name: str
    reason: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    mine: bool
    """The operator who looks has asked for it, or it is their own account."""


class ResetRow(Struct, frozen=True):
    """A reset as kept."""

    id: UUID
    username: str
    name: str
    staff_id: UUID
    reason: str
    asked_id: UUID
    asked_by: str
    asked_at: datetime
    expires_at: datetime
