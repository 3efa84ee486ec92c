"""The walk's other half: orders are paid already, and most of what happens is money on its way back."""

from __future__ import annotations

from hypothesis.stateful import initialize
from tests.rooms.payments.walk_machine import walk
from tests.rooms.payments.walk_rules import Walk

from civicmall.kernel.config import Settings
from civicmall.shops import Registry

STEPS = 5_000


class FromMoney(Walk):
    """Begins with three purses' money in one order, one bank's in another, and one order beside."""

    @initialize()
    def begin(self) -> None:
        for which, name in (((0, 1, 2), "split"), ((3, 5), "plain"), ((4,), "")):
            order = self.create(which)
            assert order is not None
            if name:
                paid = self.world.banks[name].receive(order.id, order.amount, cut=40)
                self.hear(name, paid)
                self.model.comes(order, name, paid)
        self.deliver_all()


def test_whatever_happens_after_money_came(settings: Settings, kiosk_registry: Registry) -> None:
    walk(FromMoney, settings, kiosk_registry, STEPS, way=5)
