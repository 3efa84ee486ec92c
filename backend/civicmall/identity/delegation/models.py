"""Nouns of acting for others."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from civicmall.identity.models import May, Phone

Kind = Literal["child", "relative", "representative", "agent"]
"""By which right: guardianship of a minor; a relative's or any adult's own word; being an enterprise's
legal representative; being named by that one."""
State = Literal["invited", "active", "ended"]
Reason = Literal["", "agent", "principal", "declined", "lapsed", "expired", "of_age", "register"]
Side = Literal["principal", "agent"]
Name = Annotated[str, Meta(min_length=2, max_length=120, pattern=r"^[^\x00]*$")]
Rights = Annotated[list[May], Meta(min_length=1, max_length=3)]
Shop = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,39}$(?!\n)")]
Shops = Annotated[list[Shop], Meta(min_length=1, max_length=50)]


class ChildAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Which child: as the register of births has it."""

    name: Annotated[str, Meta(min_length=2, max_length=60, pattern=r"^[^\x00]*$")]
    id_number: Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9X]$(?!\n)")]


class EnterpriseAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """Which enterprise: as the business register has it."""

    name: Name
    uscc: Annotated[str, Meta(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$(?!\n)")]
    """Unified social credit code (GB 32100-2015)."""


class Invitation(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to ask, and for what. The phone's owner becomes `whom`: the agent who is to act for me, or
    for the enterprise that I represent by `of`, or the principal for whom I am to act.
    """

    phone: Phone
    whom: Side
    may: Rights
    shops: Shops | None = None
    """Only these; null: all, also those that open later."""
    valid_until: Annotated[datetime, Meta(tz=True)] | None = None
    """Null: until one of the two ends it. An enterprise's agent always has an end."""
    of: UUID | None = None


class Fingerprint(Struct, frozen=True):
    """Stands for an invitation in the store of Idempotency-Keys, which keeps no phone."""

    blind: bytes


class Delegation(Struct, frozen=True):
    """One right to act, as one of its two sides sees it."""

    id: UUID
    kind: Kind
    side: Side
    """Which of the two the caller is."""
    other: str
    """The other one: a masked name, an enterprise's whole name; before they accept, a masked phone."""
    principal: UUID | None
    agent: UUID | None
    may: list[May]
    shops: list[str] | None
    valid_until: datetime | None
    state: State
    reason: Reason
    """How it ended."""
    created_at: datetime
    answer_by: datetime | None
    """Until when an invitation can be accepted."""
    began_at: datetime | None
    ended_at: datetime | None
    can_accept: bool


class Delegations(Struct, frozen=True):
    """For whom I act, and who acts for me; newest first, the ended ones too."""

    held: list[Delegation]
    granted: list[Delegation]


class ActingToken(Struct, frozen=True):
    """An access token to act with. It can't be refreshed: ask again with one's own token."""

    access_token: str
    expires_in: int
    """Seconds; never beyond the delegation's own end."""
    delegation: Delegation
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 (the word itself)


class Row(Struct, frozen=True):
    """A delegation as stored; names are sealed."""

    id: UUID
    kind: Kind
    principal: UUID | None
    agent: UUID | None
    invited: bytes | None
    principal_name: bytes
    agent_name: bytes
    may: list[May]
    shops: list[str] | None
    valid_until: datetime | None
    granted_by: UUID
    state: State
    reason: Reason
    created_at: datetime
    answer_by: datetime | None
    began_at: datetime | None
    ended_at: datetime | None


class Due(Struct, frozen=True):
    """A delegation that time or the register may have ended."""

    bucket: int
    id: UUID
