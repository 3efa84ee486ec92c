"""The reference citizen app: pages for phones, rendered on the server, that work without scripts."""

from __future__ import annotations

from . import (
    account,
    api,
    apply,
    cases,
    cashier,
    dev,
    home,
    insurance,
    mandates,
    me,
    messages,
    pay,
    rate,
    refunds,
    services,
    shop,
    sums,
    verify,
    visits,
)
from .reader import assets
from .refuse import lost

routers = [
    assets.router(),
    *(
        room.router
        for room in (
            home, account, me, shop, apply, cases, visits, sums, pay, mandates, insurance, cashier, rate, refunds, verify, messages, services, dev, api,
        )
    ),
]  # fmt: skip

__all__ = ["lost", "routers"]
