"""The package's statements; each module calls them through `q`."""

from __future__ import annotations

from civicmall.kernel import sql

from .models import AttestedRow, DeletionRow, DeskDispute, DisputeRow, EventRow, OwnDispute

q = sql.load(__file__, AttestedRow, EventRow, DeskDispute, DisputeRow, DeletionRow, OwnDispute)
