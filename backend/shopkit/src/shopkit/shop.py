"""A shop object: the functions that a department wrote, by app and operation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from .call import Call, ShopDb
from .contract import (
    Bill,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    Progress,
    ProgressQuery,
    Receipt,
)
from .errors import BadManifest
from .manifest import FILE, locate, read_manifest

Operation = Literal["progress.list", "bills.list", "bills.get", "charge.quote", "charge.paid"]
Handler = Callable[[Call, Any], Awaitable[Any]]
Seeder = Callable[[ShopDb, bytes, date], Awaitable[None]]
"""Schema, secret and the city's date."""
F = TypeVar("F")

NEEDS: dict[str, tuple[Operation, ...]] = {
    "progress": ("progress.list",),
    "bills": ("bills.list", "bills.get", "charge.quote", "charge.paid"),
}
"""Which operations a declared capability obliges to."""

ListBills = Callable[[Call, BillsQuery], Awaitable[list[Bill]]]
GetBill = Callable[[Call, str], Awaitable[BillDetail]]
Quote = Callable[[Call, str], Awaitable[Charge]]
Paid = Callable[[Call, ChargePaid], Awaitable[Receipt]]
ListProgress = Callable[[Call, ProgressQuery], Awaitable[list[Progress]]]


class Shop:
    """What a shop's package makes once: `shop = Shop(__package__)`. Raises BadManifest."""

    def __init__(self, package: str | None) -> None:
        if not package:
            raise BadManifest("shop", "$", "call Shop(__package__) in the package's __init__.py")
        path = locate(package)
        self.manifest = read_manifest(path)
        self.handlers: dict[tuple[str, Operation], Handler] = {}
        self.seeder: Seeder | None = None
        self.migrations: Path | None = next(
            (p for p in (path.parent / "migrations",) if p.is_dir()), None
        )
        self.file = path if path.name == FILE else path / FILE

    def progress(self, app: str) -> Callable[[ListProgress], ListProgress]:
        """The citizen's matters, newest first; with `query.id` only that one."""
        return self._on(app, "progress.list")

    def bills(self, app: str) -> Callable[[ListBills], ListBills]:
        """What the citizen owes, oldest due first; then, with `query.paid`, what was paid."""
        return self._on(app, "bills.list")

    def bill(self, app: str) -> Callable[[GetBill], GetBill]:
        """One bill with all that explains it. Raise NotFound for an unknown or foreign one."""
        return self._on(app, "bills.get")

    def quote(self, app: str) -> Callable[[Quote], Quote]:
        """What is owed for this charge now. Raise NotFound, or Refused when it was paid."""
        return self._on(app, "charge.quote")

    def charge_paid(self, app: str) -> Callable[[Paid], Paid]:
        """Book a payment. It comes at least once, so the same `payment_id` gives the same receipt;
        and perhaps without claims, for consent may be withdrawn after paying.
        """
        return self._on(app, "charge.paid")

    def seed(self, fill: Seeder) -> Seeder:
        """Fill the shop's schema with sandbox data for a date; at every start, so idempotent."""
        self.seeder = fill
        return fill

    def _on(self, app: str, operation: Operation) -> Callable[[F], F]:
        declared = self.manifest.app(app)
        if declared is None:
            raise BadManifest(
                FILE, "$.apps", f"the code serves {app}, the manifest doesn't name it"
            )

        def keep(handler: F) -> F:
            self.handlers[app, operation] = handler  # pyright: ignore[reportArgumentType]
            return handler

        return keep

    def check(self) -> None:
        """That each declared capability is served. Raises BadManifest naming the missing one."""
        for i, app in enumerate(self.manifest.apps):
            for capability in app.capabilities:
                for operation in NEEDS[capability]:
                    if (app.id, operation) not in self.handlers:
                        raise BadManifest(
                            FILE, f"$.apps[{i}].capabilities", f"{app.id}: no code for {operation}"
                        )
