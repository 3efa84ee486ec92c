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
    me,
    messages,
    pay,
    rate,
    services,
    shop,
    sums,
    visits,
)
from .reader import assets
from .refuse import lost

routers = [
    assets.router(),
    *(
        room.router
        for room in (
            home, account, me, shop, apply, cases, visits, sums, pay, cashier, rate, messages, services, dev, api,
        )
    ),
]  # fmt: skip

__all__ = ["lost", "routers"]
