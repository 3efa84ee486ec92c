"""The healthcare security administration's shop: enrolment, contributions, account, refunds.

Rates and rules stand in data/rules.json, each with its source; people are known by keyed hashes.
"""

from __future__ import annotations

from shopkit import Shop

from . import account, contribution, enrolment, seed
from .claims import refunds

__all__ = ["shop"]

shop = Shop(__package__)
shop.seed(seed.fill)

shop.apply_form("enrolment")(enrolment.form)
enrolment.enrolments.serve(shop)

shop.bills("contribution")(contribution.bills)
shop.bill("contribution")(contribution.bill)
shop.quote("contribution")(contribution.quote)
shop.charge_paid("contribution")(contribution.paid)
shop.charge_refunded("contribution")(contribution.CHARGES.refund)

shop.enquire("account")(account.movements)
shop.progress("reimbursement")(refunds.listing)
