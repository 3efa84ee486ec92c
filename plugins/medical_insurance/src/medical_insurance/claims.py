"""Refunds of costs that were paid in advance: their course, and the amount by rule."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from shopkit import Call, Document, Reason, Result, Submission
from shopkit.applications import Application, Applications, Course, Entry, Stage, steadily

from . import words
from .rules import RULES, Claim, reckon

WORKING_DAYS: Final = 30
"""An example: the city's own promise wasn't found."""
PACE: Final = timedelta(days=3)
OFFICES: Final = {"checked": words.DESK, "paid": words.FUND}


def claim(application: Application) -> Claim:
    """What was handed in."""
    return msgspec.convert(application.kept, Claim)


def result(application: Application) -> Result:
    """The refund, with the rule it is reckoned by."""
    handed_in = claim(application)
    paper = Document(
        words.both("医疗费用报销结算单", "Statement of the refund"), application.reference
    )
    return Result(words.refunded(handed_in, reckon(RULES, handed_in)), [paper])


async def at_the_counter(_: Call, __: Submission) -> Entry | list[Reason]:
    """Claims come with paper originals."""
    return [Reason(words.AT_COUNTER)]


COURSE: Final = Course(
    "reimbursement", "BX", lambda application: words.claim_title(claim(application)),
    tuple(Stage(code, name, OFFICES.get(code, words.AUDIT)) for code, name in words.CLAIM_STEPS.items()),
    WORKING_DAYS, words.AUDIT, words.CODES, "reviewed", result,
)  # fmt: skip
refunds: Final = Applications(
    COURSE, at_the_counter, taken=Reason(words.AT_COUNTER), clerk=steadily(COURSE, PACE)
)
