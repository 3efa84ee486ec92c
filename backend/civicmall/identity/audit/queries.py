"""The package's statements."""

from __future__ import annotations

from civicmall.kernel import sql
from civicmall.kernel.days import Standing

from .models import (
    AccessRead,
    Anchor,
    AuditDay,
    BucketDigest,
    EndNow,
    Head,
    Line,
    LineAfter,
    StaffMark,
    WrongHead,
)

q = sql.load(
    __file__, AccessRead, Anchor, AuditDay, BucketDigest, EndNow, Head, Line, LineAfter, StaffMark,
    Standing, WrongHead,
)  # fmt: skip
