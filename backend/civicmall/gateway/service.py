"""The gateway: the one way to a shop. Level, consent, limits, deadline, breaker, checked answers.

Whatever a shop does costs its own callers a clear problem and nobody else anything.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import shopkit
from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel import ids, logs, metrics, sql
from civicmall.kernel.db import Db
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp, Registry
from shopkit import BillDetail, BillsQuery, Charge, ChargePaid, ProgressQuery, Receipt
from shopkit.answers import WrongAnswer
from shopkit.call import Call, Citizen
from shopkit.shop import Operation

from . import rules
from .cache import STALE_S, Cache, Kept
from .errors import (
    ConsentNeeded,
    LevelTooLow,
    NoSuchThing,
    ShopBadAnswer,
    ShopFailed,
    ShopRefused,
    ShopTimeout,
    ShopUnavailable,
    TooManyCalls,
)
from .gate import Gate
from .host import role
from .models import Bills, FinishedCall, Health, Matters, Owed, OwedBill, TileState
from .rules import ShopKeys

q = sql.load(__file__, FinishedCall)
log = logs.get("gateway")
TILE_S: Final = 1.5
"""Seconds that one tile of the home may take; the rest of the home doesn't wait for it."""
SHOP_FAULTS: Final = (ShopBadAnswer, ShopFailed, ShopTimeout, ShopUnavailable)
KEEP_CALLS_DAYS: Final = 60


class Gateway:
    """Calls shops. One per process; `start` opens the shops, `stop` leaves them."""

    def __init__(self, house: House, registry: Registry) -> None:
        self._house = house
        self._registry = registry
        self._cache = Cache()
        self._gates: dict[str, Gate] = {}
        self._keys: dict[str, ShopKeys] = {}
        self._reading: set[asyncio.Task[Bills]] = set()

    async def start(self) -> None:
        """Open every shop that can be called; one that can't start costs only itself."""
        settings, today = self._house.settings, self._house.clock.today()

        async def one(shop: shopkit.Shop) -> None:
            gate = Gate(
                shop,
                settings.database_url,
                self._house.clock,
                self._house.keys.password(role(shop.manifest.id)),
            )
            self._gates[shop.manifest.id] = gate
            await gate.start(
                self._keys_of(shop.manifest.id).secret, today if settings.sandbox else None
            )
            if gate.fault:
                self._registry.report(shop.manifest.id, gate.fault)

        await asyncio.gather(
            *(one(entry.shop) for entry in self._registry.all() if entry.shop is not None)
        )

    async def stop(self) -> None:
        """Close every shop's connections and threads."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*(gate.stop() for gate in self._gates.values()))

    async def bills(
        self, caller: Caller, shop: str, app: str, query: BillsQuery, lang: str
    ) -> Bills:
        """What a citizen owes at one app. Raises the problems of `errors`."""
        kept, stale = await self._read(caller, shop, app, "bills.list", query, lang)
        return Bills(kept.answer, None, stale, kept.as_of)

    async def bill(self, caller: Caller, shop: str, app: str, bill: str, lang: str) -> BillDetail:
        """One bill with all that explains it. Raises the problems of `errors`."""
        asked = rules.identifier(bill, shop)
        detail: BillDetail = await self._ask(caller, shop, app, "bills.get", asked, lang)
        return detail

    async def progress(
        self, caller: Caller, shop: str, app: str, query: ProgressQuery, lang: str
    ) -> Matters:
        """Where a citizen's matters stand; an answer of today may be rated."""
        kept, stale = await self._read(caller, shop, app, "progress.list", query, lang)
        call_id = None if stale else await self._note_call(caller, shop, app, "progress.list")
        return Matters(kept.answer, None, stale, kept.as_of, call_id)

    async def quote(self, caller: Caller, shop: str, app: str, charge: str, lang: str) -> Charge:
        """What must be paid for a charge, as the shop says now. Raises the problems of `errors`."""
        asked = rules.identifier(charge, shop)
        quoted: Charge = await self._ask(caller, shop, app, "charge.quote", asked, lang)
        fees = {fee.code for fee in self._registry.app(shop, app).fees}
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
        level = (await identity.row(self._house.db, citizen_id)).level
        caller = Caller(citizen_id, citizen_id, level)
        self._cache.forget(citizen_id, shop, app)
        receipt: Receipt = await self._ask(
            caller, shop, app, "charge.paid", paid, "zh-CN", news=True
        )
        self._cache.forget(citizen_id, shop, app)
        return receipt

    async def owed(self, caller: Caller, lang: str) -> Owed:
        """All a citizen owes, app by app at once; a slow or broken one only misses its tile."""
        apps = [
            (entry.id, app.id)
            for entry in self._registry.all()
            if entry.manifest is not None
            for app in entry.manifest.apps
            if "bills" in app.capabilities
        ]
        agreed = {
            (c.shop, c.app): frozenset(c.claims)
            for c in await identity.consents(self._house.db, caller.citizen_id)
        }
        reads = [
            self._start_reading(caller, shop, app, agreed.get((shop, app), frozenset()), lang)
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
        self, caller: Caller, shop: str, app: str, agreed: frozenset[str], lang: str
    ) -> asyncio.Task[Bills]:
        """Read an app's bills; who asked may leave before the answer, which is kept all the same.

        So a shop that hangs is found out by its breaker, however short a time the home waits.
        """

        async def read() -> Bills:
            self._gate(shop, app)
            manifest = self._registry.app(shop, app)
            rules.entitled(manifest, shop, caller.level, agreed)
            kept, stale = await self._recall(caller, shop, app, "bills.list", BillsQuery(), lang)
            return Bills(kept.answer, None, stale, kept.as_of)

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
        """How every shop does, for the operators' board."""
        found: list[Health] = []
        for entry in self._registry.all():
            gate = self._gates.get(entry.id)
            if gate is None:
                found.append(Health(entry.id, "broken", "open", 0, entry.reason))
            else:
                state = "broken" if gate.fault else "live"
                found.append(
                    Health(entry.id, state, gate.breaker_state(), gate.running, gate.fault)
                )
        return found

    async def _read(
        self, caller: Caller, shop: str, app: str, operation: Operation, asked: Any, lang: str
    ) -> tuple[Kept, bool]:
        """An answer that may come from memory, and whether it is stale; rights come first."""
        self._gate(shop, app)
        await self._check_rights(caller, shop, app)
        return await self._recall(caller, shop, app, operation, asked, lang)

    async def _recall(
        self, caller: Caller, shop: str, app: str, operation: Operation, asked: Any, lang: str
    ) -> tuple[Kept, bool]:
        """The same, where rights were looked at."""
        key = self._cache.key(caller.citizen_id, shop, app, operation, asked)
        fresh_s = self._registry.app(shop, app).cache_seconds
        if kept := self._cache.get(key, self._house.clock.monotonic(), fresh_s):
            return kept, False
        try:
            answer = await self._ask(caller, shop, app, operation, asked, lang, checked=True)
        except SHOP_FAULTS:
            if kept := self._cache.get(key, self._house.clock.monotonic(), STALE_S):
                return kept, True
            raise
        kept = Kept(answer, self._house.clock.now(), self._house.clock.monotonic())
        self._cache.put(key, kept)
        return kept, False

    def _gate(self, shop: str, app: str) -> Gate:
        """The way to an app. It comes before rights: a shop that never ran asks nobody for consent.

        Raises NoSuchShop, NoSuchApp, ShopUnavailable.
        """
        self._registry.app(shop, app)
        gate = self._gates.get(shop)
        if gate is None:
            raise ShopUnavailable(shop=shop)
        return gate

    async def _check_rights(self, caller: Caller, shop: str, app: str) -> None:
        """That the citizen is known well enough and agreed. Raises LevelTooLow, ConsentNeeded."""
        manifest = self._registry.app(shop, app)
        agreed: frozenset[str] = frozenset()
        if manifest.claims:
            agreed = await identity.consent(self._house.db, caller.citizen_id, shop, app)
        rules.entitled(manifest, shop, caller.level, agreed)

    async def _ask(
        self,
        caller: Caller,
        shop: str,
        app: str,
        operation: Operation,
        asked: Any,
        lang: str,
        *,
        checked: bool = False,
        news: bool = False,
    ) -> Any:
        """One call of a shop. `checked`: rights were looked at; `news` needs none."""
        gate = self._gate(shop, app)
        manifest = self._registry.app(shop, app)
        if not (checked or news):
            await self._check_rights(caller, shop, app)
        if not gate.serves(app, operation):
            raise NoSuchApp(shop=shop, app=app)
        gate.check()
        names = [claim.name for claim in manifest.claims]
        if news and names:
            given = await identity.consent(self._house.db, caller.citizen_id, shop, app)
            names = [name for name in names if name in given]
        found: dict[str, str] = {}
        if names:
            found = await identity.claims(
                self._house, caller.citizen_id, names, reader=f"{shop}/{app}", purpose=operation
            )
        keys = self._keys_of(shop)
        citizen = Citizen(keys.sub(caller.citizen_id), caller.level, found)

        def call(db: Any) -> Call:
            return Call(
                citizen=citizen,
                lang=lang,
                now=self._house.clock.now(),
                today=self._house.clock.today(),
                trace_id=logs.trace_id.get(),
                deadline_s=gate.timeout_s,
                db=db,
                secret=keys.secret,
            )

        who = None if news else caller.citizen_id
        return await self._through(gate, app, operation, call, asked, who)

    async def _through(
        self, gate: Gate, app: str, operation: Operation, call: Any, asked: Any, who: UUID | None
    ) -> Any:
        """Through the gate, with whatever comes back as one of our problems."""
        shop, outcome = gate.shop_id, "ok"
        began = self._house.clock.monotonic()
        try:
            return await gate.call(app, operation, call, asked, who)
        except shopkit.NotFound as error:
            outcome = "not_found"
            raise NoSuchThing(shop=shop) from error
        except shopkit.Refused as error:
            outcome = "refused"
            raise ShopRefused(rules.words(error.detail), shop=shop) from error
        except shopkit.Unavailable as error:
            outcome = "unavailable"
            raise ShopUnavailable(
                shop=shop, retry_after_s=rules.wait_s(error.retry_after_s)
            ) from error
        except TimeoutError as error:
            outcome = "timeout"
            raise ShopTimeout(shop=shop) from error
        except WrongAnswer as error:
            outcome = "bad_answer"
            log.warning("shop.bad_answer", shop=shop, app=app, operation=operation,
                      check=error.check, seen=error.seen)  # fmt: skip
            raise ShopBadAnswer(shop=shop, check=error.check) from error
        except (ShopUnavailable, TooManyCalls):
            outcome = "rejected"
            raise
        except Exception as error:
            outcome = "failed"
            log.exception("shop.failed", shop=shop, app=app, operation=operation)
            raise ShopFailed(shop=shop) from error
        finally:
            metrics.SHOP_CALLS.labels(shop, operation, outcome).inc()
            metrics.SHOP_LATENCY.labels(shop, operation).observe(
                self._house.clock.monotonic() - began
            )

    async def _note_call(self, caller: Caller, shop: str, app: str, operation: Operation) -> UUID:
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

    def _keys_of(self, shop: str) -> ShopKeys:
        if shop not in self._keys:
            derive = self._house.keys.derive
            self._keys[shop] = ShopKeys(derive(f"shop:{shop}"), derive(f"pairwise:{shop}"))
        return self._keys[shop]


async def finished_call(db: Db, citizen_id: UUID, call_id: UUID) -> FinishedCall | None:
    """A citizen's call that may be rated; None where there is no such one of theirs."""
    if ids.bucket_of(call_id) != ids.bucket_of(citizen_id):
        return None
    found: FinishedCall | None = await q.call(
        db, bucket=ids.bucket_of(citizen_id), id=call_id, citizen_id=citizen_id
    )
    return found


async def forget_calls(db: Db) -> None:
    """Calls that are too old to be rated."""
    await q.forget_calls(db, days=KEEP_CALLS_DAYS)
