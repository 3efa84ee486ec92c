"""Mandates (代扣): bills that are debited by themselves, within caps, announced before, revocable."""

from __future__ import annotations

from .jobs import jobs, run
from .means import Means
from .models import Debit, Mandate, MandateCount, MandateDetail, NewMandate
from .service import change, counts, make, mandate, mandates
from .telling import listen

__all__ = [
    "Debit",
    "Mandate",
    "MandateCount",
    "MandateDetail",
    "Means",
    "NewMandate",
    "change",
    "counts",
    "jobs",
    "listen",
    "make",
    "mandate",
    "mandates",
    "run",
]
