"""The reference citizen app: pages for phones, rendered on the server, that work without scripts."""

from __future__ import annotations

from . import (
    account,
    api,
    apply,
    cases,
    cashier,
    delegations,
    dev,
    devices,
    face,
    facts,
    federation,
    home,
    insurance,
    leaving,
    mandates,
    me,
    messages,
    mine,
    oauth,
    passkeys,
    pay,
    rate,
    refunds,
    services,
    shop,
    sums,
    trail,
    verify,
    visits,
)
from .reader import assets
from .refuse import lost

routers = [
    assets.router(),
    leaving.from_elsewhere,
    *(
        room.router
        for room in (
            home, account, me, trail, shop, apply, cases, visits, sums, pay, mandates, insurance, cashier, leaving, rate, refunds, verify, messages, oauth, services, delegations, dev, devices, passkeys, federation, face, facts, mine, api,
        )
    ),
]  # fmt: skip

__all__ = ["lost", "routers"]
