"""What happened to a citizen's data and account, in lines that are only ever added to.

Each citizen's lines are a chain: a line has the hash of the one before it, made by PostgreSQL in the
same statement that gives the data. Once a day each bucket's ends are anchored and the day is signed
(rules.py says how, to the byte). The program can neither change nor remove a line, nor say when it
was; `verify` names what an owner of the tables did all the same (ADR 0038).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.days import start_of
from civicmall.kernel.jobs import Job

from .checking import verify
from .closing import AuditTorn, close, days, forget
from .models import AccessRow, AuditDay, AuditLine, Finding, Kind, Report, StaffReader
from .reading import count, export
from .rules import Seal
from .service import Seq, accesses, begin, lines, note, note_access, readers
from .watching import look, watch

if TYPE_CHECKING:
    from civicmall.kernel.house import House


def jobs(house: House) -> list[Job]:
    """Close days; look whether the newest stays as it was; forget what is older than three years."""
    return [
        Job("identity.audit.close", 60.0, lambda: close(house)),
        Job("identity.audit.watch", 3600.0, lambda: watch(house)),
        Job("identity.audit.forget", 6 * 3600.0, lambda: forget(house)),
    ]


__all__ = [
    "AccessRow", "AuditDay", "AuditLine", "AuditTorn", "Finding", "Kind", "Report", "Seal", "Seq", "StaffReader",
    "accesses",
    "begin", "close", "count", "days", "export", "forget", "jobs", "lines", "look", "note", "note_access",
    "readers", "start_of", "verify", "watch",
]  # fmt: skip
