"""What stays when somebody leaves, and why: facts of the law, each with its source."""

from __future__ import annotations

from typing import Final

from civicmall.kernel.i18n import translate

from .models import Kept

KEPT: Final = (
    Kept(
        "Orders, payments, refunds, receipts, mandates and the ledger",
        "They are accounting vouchers and are kept for 30 years; what was traded for at least three.",
        "Measures on Accounting Archives (Order 79 of 2015), art. 14; E-commerce Law, art. 31",
    ),
    Kept(
        "Applications, their papers and what came of them",
        "They are the department's records and belong into its archive.",
        "State Council Provisions on Online Government Services (Order 716 of 2019), art. 12",
    ),
    Kept(
        "Ratings and what followed from them",
        "A platform may not delete what people said of a service.",
        "E-commerce Law, art. 39",
    ),
    Kept(
        "The record of who read your data",
        "Records of the network's running are kept for at least six months; after three years they go.",
        "Cybersecurity Law (2016), art. 21",
    ),
    Kept(
        "What you agreed to, and when you took it back",
        "So that it can be shown that what was done was allowed.",
        "Personal Information Protection Law, art. 69",
    ),
    Kept(
        "That you left, and when",
        "So that it can be shown that the rest is gone.",
        "Personal Information Protection Law, art. 47",
    ),
)
"""Under a number without name, phone or ID number."""


def kept(lang: str) -> list[Kept]:
    """The same in one language."""
    return [
        Kept(translate(lang, one.what), translate(lang, one.why), translate(lang, one.source))
        for one in KEPT
    ]
