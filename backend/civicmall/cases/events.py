"""What this room tells the others. Ids only: whoever may read a case asks."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from .rules import Move


class Moved(Struct, frozen=True, tag="cases.moved"):
    """Something happened to a case."""

    case_id: UUID
    shop: str
    app: str
    move: Move


class Finished(Struct, frozen=True, tag="cases.finished"):
    """The department finished a case; it can be rated now."""

    case_id: UUID
    citizen_id: UUID
    shop: str
    app: str
