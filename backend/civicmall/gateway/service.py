"""The gateway: the one way to a shop. Level, consent, limits, deadline, breaker, checked answers.

Whatever a shop does costs its own callers a clear problem and nobody else anything.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from uuid import UUID

import msgspec

import shopkit
from civicmall import identity
from civicmall.identity import AttributeDisputed, Caller
from civicmall.kernel import ids, logs
from civicmall.kernel.db import Db
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import NoSuchShop, Registry, ShopRetired
from shopkit import (
    App,
    BillDetail,
    BillsQuery,
    Charge,
    ChargePaid,
    ChargeRefunded,
    Event,
    ProgressQuery,
    Receipt,
    RefundNoted,
)
from shopkit.call import Citizen

from . import health, rules
from .addresses import Networks
from .cache import STALE_S, Cache, Kept
from .callbacks import Callbacks
from .calling import Calls
from .errors import SHOP_FAULTS, ConsentNeeded, LevelTooLow, ShopBadAnswer
from .facts import Facts
from .gates import Gates
from .models import Bills, FinishedCall, Health, Matters, Owed, OwedBill, TileState
from .platform import Platform
from .queries import q
from .telling import EVENT_S, Telling

log = logs.get("gateway")
TILE_S: Final = 1.5
"""Seconds that one tile of the home may take; the rest of the home doesn't wait for it."""
KEEP_CALLS_DAYS: Final = 60


class Gateway:
    """Calls shops. One per process; `start` opens the shops, `stop` leaves them."""

    def __init__(self, house: House, registry: Registry, networks: Networks | None = None) -> None:
        settings = house.settings
        self._house = house
        self._registry = registry
        self._cache = Cache()
        self.platform = Platform(
            house.keys,
            settings.public_url,
            networks or Networks.parse(settings.shop_networks),
            https_only=not settings.sandbox,
        )
        self.gates = Gates(house, registry, self.platform)
        self.calls = Calls(house, self.gates)
        self.callbacks = Callbacks(house, registry, self.calls)
        self._reading: set[asyncio.Task[Bills]] = set()
        self._telling: dict[tuple[str, str], Telling] = {}

    async def start(self) -> None:
        """Open every shop that can be called; one that can't start costs only itself."""
        await self.gates.start()

    async def stop(self) -> None:
        """Close every shop's connections and threads."""
        for task in self._reading:
            task.cancel()
        await self.gates.stop()

    async def ask(
        self, caller: Caller, shop: str, app: str, operation: str, asked: Any, lang: str
    ) -> Any:
        """One typed call with the citizen's rights looked at; the answer fits the contract.

        Raises the problems of `errors`.
        """
        return await self.calls.ask(caller, shop, app, operation, asked, lang)

    def forget(self, citizen_id: UUID, shop: str, app: str) -> None:
        """Drop what is remembered of a citizen at an app: something has just changed there."""
        self._cache.forget(citizen_id, shop, app)

    async def objection(self, event: AttributeDisputed) -> str | None:
        """What a citizen says against a fact; None where they don't any more."""
        return await identity.attributes.service.objection(
            self._house, event.citizen_id, event.name, event.source
        )

    async def tell(self, shop: str, event: Event) -> None:
        """An event for a shop that wants to hear of it; raises what says: tell it again."""
        try:
            hooks = self._registry.manifest(shop).webhooks
            if hooks is None or event.type not in hooks.events:
                return
            way = self.gates.way(shop, None)
        except (NoSuchShop, ShopRetired):
            return  # it has left, and knows nobody any more
        nobody = Citizen("platform", 1, {})
        facts = Facts(
            event.subject, nobody, "zh-CN", self._house.clock.now(), logs.trace_id.get(),
            min(way.gate.timeout_s, EVENT_S), self.gates.keys_of(shop).secret,
        )  # fmt: skip
        async with self._turn(shop, "event"):
            await self.calls.through(way, "event", facts, event, None)

    def _turn(self, shop: str, kind: str) -> AbstractAsyncContextManager[None]:
        """One of the few places for news on its way to a shop. Raises ShopUnavailable."""
        if (shop, kind) not in self._telling:
            self._telling[shop, kind] = Telling(shop, self._house.clock)
        return self._telling[shop, kind].turn()

    async def tell_refunded(
        self, citizen_id: UUID, shop: str, app: str, refunded: ChargeRefunded
    ) -> RefundNoted | None:
        """News of a refund for a shop; None where its contract knows none. Raises the problems of
        `errors`.
        """
        way, _ = self.calls.way(shop, app, citizen_id)
        if not way.gate.host.serves(app, "charge.refunded"):
            return None
        noted: RefundNoted = await self._tell(citizen_id, shop, app, "charge.refunded", refunded)
        return noted

    async def bills(
        self, caller: Caller, shop: str, app: str, query: BillsQuery, lang: str
    ) -> Bills:
        """What a citizen owes at one app. Raises the problems of `errors`."""
        kept = await self._read(caller, shop, app, "bills.list", query, lang)
        return Bills(kept.answer, None, kept.stale, kept.as_of)

    async def bill(self, caller: Caller, shop: str, app: str, bill: str, lang: str) -> BillDetail:
        """One bill with all that explains it. Raises the problems of `errors`."""
        asked = rules.identifier(bill, shop)
        detail: BillDetail = await self.ask(caller, shop, app, "bills.get", asked, lang)
        return detail

    async def progress(
        self, caller: Caller, shop: str, app: str, query: ProgressQuery, lang: str
    ) -> Matters:
        """Where a citizen's matters stand; an answer of today may be rated."""
        kept = await self._read(caller, shop, app, "progress.list", query, lang)
        call_id = None if kept.stale else await self._note_call(caller, shop, app, "progress.list")
        return Matters(kept.answer, None, kept.stale, kept.as_of, call_id)

    async def quote(self, caller: Caller, shop: str, app: str, charge: str, lang: str) -> Charge:
        """What must be paid for a charge, as the shop says now. Raises the problems of `errors`."""
        asked = rules.identifier(charge, shop)
        quoted: Charge = await self.ask(caller, shop, app, "charge.quote", asked, lang)
        _, declared = self.calls.way(shop, app, caller.citizen_id)
        fees = {fee.code for fee in declared.fees}
        if quoted.fee_code not in fees:
            log.error("shop.unpublished_fee", shop=shop, fee=quoted.fee_code)
            raise ShopBadAnswer(shop=shop, check="unpublished-fee")
        until = quoted.valid_until
        if until.tzinfo is None or until <= self._house.clock.now():
            log.error("shop.expired_quote", shop=shop, until=until.isoformat())
            raise ShopBadAnswer(shop=shop, check="expired-quote")
        return quoted

    async def tell_paid(self, citizen_id: UUID, shop: str, app: str, paid: ChargePaid) -> Receipt:
        """News of a payment for a shop; its receipt. Raises the problems of `errors`."""
        self._cache.forget(citizen_id, shop, app)
        receipt: Receipt = await self._tell(citizen_id, shop, app, "charge.paid", paid)
        return receipt

    async def _tell(
        self,
        citizen_id: UUID,
        shop: str,
        app: str,
        operation: str,
        news: ChargePaid | ChargeRefunded,
    ) -> Any:
        """What became of a charge, told in the citizen's name; what is remembered is then old."""
        level = (await identity.row(self._house.db, citizen_id)).level
        caller = Caller(citizen_id, citizen_id, level)
        async with self._turn(shop, "charge"):
            answer = await self.calls.ask(caller, shop, app, operation, news, "zh-CN", news=True)
        self._cache.forget(citizen_id, shop, app)
        return answer

    async def owed(self, caller: Caller, lang: str) -> Owed:
        """All a citizen owes, app by app at once; a slow or broken one only misses its tile."""
        apps = [
            (entry.id, app.id)
            for entry in self._registry.all()
            if entry.manifest is not None
            for app in entry.manifest.apps
            if "bills" in app.capabilities and identity.acting.holds_at(caller.actor, entry.id)
        ]
        agreed = await identity.agreements.agreed_by_app(self._house.db, caller.citizen_id)
        reads = [
            self._start_reading(caller, shop, app, agreed.get(f"{shop}/{app}", frozenset()), lang)
            for shop, app in apps
        ]
        if reads:
            await asyncio.wait(reads, timeout=TILE_S)
        tiles = [self._tile(read, caller, *app) for read, app in zip(reads, apps, strict=True)]
        bills = [
            OwedBill(shop, app, bill)
            for (shop, app), (_, found) in zip(apps, tiles, strict=True)
            for bill in found
        ]
        bills.sort(key=lambda owed: (owed.bill.due_on, owed.shop, owed.app, owed.bill.id))
        states: dict[str, TileState] = {
            f"{s}/{a}": tile[0] for (s, a), tile in zip(apps, tiles, strict=True)
        }
        return Owed(bills, states)

    def _start_reading(
        self, caller: Caller, shop: str, app: str, agreed: frozenset[tuple[str, str]], lang: str
    ) -> asyncio.Task[Bills]:
        """Read an app's bills; who asked may leave before the answer, which is kept all the same.

        So a shop that hangs is found out by its breaker, however short a time the home waits.
        """

        async def read() -> Bills:
            _, declared = self.calls.way(shop, app, caller.citizen_id)
            rules.entitled(declared, shop, caller, agreed)
            kept = await self._recall(caller, shop, declared, "bills.list", BillsQuery(), lang)
            return Bills(kept.answer, None, kept.stale, kept.as_of)

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._done_reading)
        return task

    def _done_reading(self, task: asyncio.Task[Bills]) -> None:
        self._reading.discard(task)
        if not task.cancelled():
            task.exception()  # seen, though nobody may be waiting any more

    def _tile(
        self, read: asyncio.Task[Bills], caller: Caller, shop: str, app: str
    ) -> tuple[TileState, list[shopkit.Bill]]:
        """How one app did in time, and what is owed there as far as is known."""
        if not read.done():
            key = self._cache.key(caller.citizen_id, shop, app, "bills.list", BillsQuery())
            kept = self._cache.get(key, self._house.clock.monotonic(), STALE_S)
            return ("stale", rules.owed(kept.answer)) if kept else ("unavailable", [])
        match read.exception():
            case None:
                found = read.result()
                return "stale" if found.stale else "ok", rules.owed(found.items)
            case ConsentNeeded():
                return "consent_needed", []
            case LevelTooLow():
                return "level_too_low", []
            case Problem():
                return "unavailable", []
            case error:
                raise error

    def health(self) -> list[Health]:
        """How every shop does, for the operators' board; one line for each version that is called."""
        found: list[Health] = []
        ways = self.gates.all()
        now = self._house.clock.monotonic()
        for entry in self._registry.all():
            mine = [way for way in ways if way.deployed.shop == entry.id]
            found += [health.of(way, now, canary=nth > 0) for nth, way in enumerate(mine)]
            if not mine:
                found.append(Health(entry.id, "broken", "open", 0, entry.reason))
        return found

    async def _read(
        self, caller: Caller, shop: str, app: str, operation: str, asked: Any, lang: str
    ) -> Kept:
        """An answer that may come from memory: fresh as the app allows, stale while the shop is
        down. Rights come first.
        """
        _, declared = self.calls.way(shop, app, caller.citizen_id)
        await self.calls.check_rights(caller, shop, declared)
        return await self._recall(caller, shop, declared, operation, asked, lang)

    async def _recall(
        self, caller: Caller, shop: str, app: App, operation: str, asked: Any, lang: str
    ) -> Kept:
        """The same, where rights were looked at."""
        key = self._cache.key(caller.citizen_id, shop, app.id, operation, asked)
        if kept := self._cache.get(key, self._house.clock.monotonic(), app.cache_seconds):
            return kept
        try:
            answer = await self.calls.ask(caller, shop, app.id, operation, asked, lang)
        except SHOP_FAULTS:
            if kept := self._cache.get(key, self._house.clock.monotonic(), STALE_S):
                return msgspec.structs.replace(kept, stale=True)
            raise
        kept = Kept(answer, self._house.clock.now(), self._house.clock.monotonic())
        self._cache.put(key, kept)
        return kept

    async def _note_call(self, caller: Caller, shop: str, app: str, operation: str) -> UUID:
        bucket = ids.bucket_of(caller.citizen_id)
        noted: UUID = await q.note_call(
            self._house.db,
            bucket=bucket,
            citizen_id=caller.citizen_id,
            day=self._house.clock.today(),
            shop=shop,
            app=app,
            id=ids.new(bucket),
            operation=operation,
        )
        return noted


async def finished_call(db: Db, citizen_id: UUID, call_id: UUID) -> FinishedCall | None:
    """A citizen's call that may be rated; None where there is no such one of theirs."""
    if ids.bucket_of(call_id) != ids.bucket_of(citizen_id):
        return None
    found: FinishedCall | None = await q.call(
        db, bucket=ids.bucket_of(citizen_id), id=call_id, citizen_id=citizen_id
    )
    return found


async def forget_calls(db: Db) -> None:
    """Calls that are too old to be rated, and nonces that are too old to come again."""
    await q.forget_calls(db, days=KEEP_CALLS_DAYS)
    await q.forget_nonces(db)
