"""What the identity centre tells: ids only, never who somebody is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct


class ConsentWithdrawn(Struct, frozen=True, tag="identity.consent_withdrawn"):
    """A citizen took back what an app was allowed to know; the shop is to forget it."""

    citizen_id: UUID
    shop: str
    app: str
    at: datetime
    claims: list[str] = []
    """What of it; of an older version's event, everything."""


class SessionEnded(Struct, frozen=True, tag="identity.session_ended"):
    """A citizen's session ended, and they had signed in to these clients from it."""

    citizen_id: UUID
    session_id: UUID
    clients: list[str]
    at: datetime


class LogoutDue(Struct, frozen=True, tag="identity.logout_due"):
    """One client is to hear that a session ended (OpenID Connect Back-Channel Logout)."""

    citizen_id: UUID
    session_id: UUID
    client_id: str


class SafetyNews(Struct, frozen=True, tag="identity.safety_news"):
    """Something about a citizen's own sign-in that they should know, for it may not be their doing."""

    citizen_id: UUID
    what: Literal["new_device", "copied", "passkey_added", "passkey_removed", "passkey_set_aside"]
    """`copied`: a session was ended because its refresh token came twice."""
    device: str = ""
    """A browser and its system, as in `Chrome · Android`; empty where that isn't known."""


class AttributeDisputed(Struct, frozen=True, tag="identity.attribute_disputed"):
    """A citizen says that what a source (a shop, or `register`) attests of them is wrong."""

    citizen_id: UUID
    name: str
    source: str
    at: datetime
    dispute_id: UUID | None = None
    """By which the desk knows it; of an older version's event, the event's own."""


class DisputeOver(Struct, frozen=True, tag="identity.dispute_over"):
    """An objection is over: the source keeps what it attested, or withdrew it, or attests something
    else since; or the citizen took the objection back.
    """

    citizen_id: UUID
    name: str
    source: str
    outcome: Literal["kept", "withdrawn", "corrected", "taken_back"]
    at: datetime
    dispute_id: UUID | None = None


class LevelRaised(Struct, frozen=True, tag="identity.level_raised"):
    """A citizen proved better who they are; tokens say so from the next refresh on."""

    citizen_id: UUID
    level: int
    by: Literal["register", "upstream", "face", "counter"]
    at: datetime


class UpstreamLinked(Struct, frozen=True, tag="identity.upstream_linked"):
    """From now on an account elsewhere signs this citizen in, too."""

    citizen_id: UUID
    host: str
    at: datetime


class ReadingDisputed(Struct, frozen=True, tag="identity.reading_disputed"):
    """A citizen doesn't agree with a reading of their data; an operator answers by `due_on`."""

    citizen_id: UUID
    objection: UUID
    due_on: date
    at: datetime


class ReadingAnswered(Struct, frozen=True, tag="identity.reading_answered"):
    """An operator answered that; what they say stands with the objection, sealed."""

    citizen_id: UUID
    objection: UUID
    made_at: datetime
    due_on: date
    at: datetime
