"""The walk: whatever a payer, a bank and time do, beside the model. Half of it; see walk_machine.py."""

from __future__ import annotations

from hypothesis.stateful import initialize
from tests.rooms.payments.walk_machine import DECIDED, MEETS, walk
from tests.rooms.payments.walk_rules import Walk

from civicmall.kernel.config import Settings
from civicmall.shops import Registry

STEPS = 5_000


class FromOrders(Walk):
    """Begins with one that ends well, one that does so in part, one that the kiosk refuses."""

    @initialize()
    def begin(self) -> None:
        for which in ((0,), (1, 3), (4,)):
            self.create(which)


def test_whatever_happens_before_money_comes(settings: Settings, kiosk_registry: Registry) -> None:
    walk(FromOrders, settings, kiosk_registry, STEPS, way=5, meets=MEETS - DECIDED)
