"""One call of a shop from end to end: which version, whose rights, what is told, what came back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from civicmall import identity
from civicmall.identity import Caller
from civicmall.kernel import logs, metrics
from civicmall.kernel.house import House
from civicmall.shops import NoSuchApp
from shopkit import App
from shopkit.call import Citizen, FetchMaterial

from . import rules
from .attesting import Subs, attester
from .errors import ShopMaintenance
from .facts import Facts, GiveMaterial, nothing_kept
from .gates import Gates, Way
from .outcomes import named


class Calls:
    """What every verb of the gateway does with a shop."""

    def __init__(self, house: House, gates: Gates) -> None:
        self._house = house
        self._gates = gates
        self.subs = Subs(house.db)
        self.give_material: GiveMaterial = nothing_kept
        """How a shop gets at what was handed in; the cases room sets it."""

    def way(self, shop: str, app: str, citizen_id: UUID | None) -> tuple[Way, App]:
        """The way to an app. It comes before rights: a shop that never ran asks nobody for consent.

        Raises NoSuchShop, NoSuchApp, ShopClosed, ShopUnavailable.
        """
        way = self._gates.way(shop, citizen_id)
        declared = way.deployed.manifest.app(app)
        if declared is None:
            raise NoSuchApp(shop=shop, app=app)
        return way, declared

    def way_to(self, shop: str, citizen_id: UUID) -> Way:
        """The version of a shop that serves a citizen. Raises NoSuchShop, ShopClosed, ShopUnavailable."""
        return self._gates.way(shop, citizen_id)

    async def check_rights(self, caller: Caller, shop: str, app: App) -> None:
        """That the citizen is known well enough and agreed. Raises LevelTooLow, ConsentNeeded."""
        agreed: frozenset[tuple[str, str]] = frozenset()
        if app.claims:
            agreed = await identity.agreements.agreed(
                self._house.db, caller.citizen_id, f"{shop}/{app.id}"
            )
        rules.entitled(app, shop, caller, agreed)

    async def ask(
        self, caller: Caller, shop: str, app: str, operation: str, asked: Any, lang: str,
        *, news: bool = False,
    ) -> Any:  # fmt: skip
        """One typed call, with the citizen's rights looked at; `news` needs none."""
        way, declared = self.way(shop, app, caller.citizen_id)
        if not news:
            rules.known_well_enough(declared, shop, caller)
        if not way.gate.host.serves(app, operation):
            raise NoSuchApp(shop=shop, app=app)
        self.check_open(way)
        facts = await self.facts(way, caller, declared, operation, lang, news=news)
        return await self.through(way, operation, facts, asked, None if news else caller.citizen_id)

    def check_open(self, way: Way) -> None:
        """Whether a call could go in now. Raises ShopUnavailable, ShopMaintenance."""
        manifest = way.deployed.manifest
        if manifest.maintenance and (
            window := rules.maintenance(manifest, self._house.clock.now())
        ):
            raise ShopMaintenance(
                shop=way.deployed.shop, until=window.ends_at.isoformat(), note=dict(window.note)
            )
        way.gate.check()

    async def facts(
        self, way: Way, caller: Caller, app: App, operation: str, lang: str, *, news: bool = False
    ) -> Facts:
        """What the shop is told about whom; each claim leaves a line that the citizen sees. It is asked
        for, looked up and noted in one statement. `news` carries what was agreed to, and needs nothing.

        Raises ConsentNeeded.
        """
        shop = way.deployed.shop
        claims: dict[str, str] = {}
        if app.claims:
            purpose = f"{caller.acting}.{operation}" if caller.acting else operation
            given = await identity.give(
                self._house, caller.citizen_id, shop, app.id, rules.asked(app), purpose=purpose,
                some=news, by=caller.actor.id if caller.actor else None,
            )  # fmt: skip
            if not news:
                rules.agreed_to(app, shop, given.agreed)
            claims = given.claims
        keys = self._gates.keys_of(shop)
        if way.deployed.manifest.attests:
            await self.subs.keep(shop, keys.sub(caller.citizen_id), caller.citizen_id)
        return Facts(
            app=app.id,
            citizen=Citizen(
                keys.sub(caller.citizen_id),
                caller.level,
                claims,
                keys.sub(caller.actor.id) if caller.actor else None,
            ),
            lang=lang,
            now=self._house.clock.now(),
            trace_id=logs.trace_id.get(),
            deadline_s=way.gate.timeout_s,
            secret=keys.secret,
            materials=self._materials_of(shop),
            attests=attester(self._house, way, caller.citizen_id),
        )

    def _materials_of(self, shop: str) -> FetchMaterial:
        """A shop reaches what was handed in with its own cases, and nothing else."""

        async def fetch(case_id: str, material: str) -> bytes:
            _, body = await self.give_material(shop, UUID(case_id), UUID(material))
            return body

        return fetch

    async def through(
        self, way: Way, operation: str, facts: Facts, asked: Any, who: UUID | None
    ) -> Any:
        """Through the gate, with whatever comes back as one of our problems."""
        shop, outcome = way.deployed.shop, "left"
        began = self._house.clock.monotonic()
        try:
            caller = None if who is None else who.int  # quicker to look up, and it is, seven times
            answer = await way.gate.call(operation, facts, asked, caller)
        except Exception as error:
            outcome, problem = named(shop, facts.app, operation, error, facts.lang)
            if problem is error:
                raise
            raise problem from error
        else:
            outcome = "ok"
            return answer
        finally:
            self.note(way, operation, outcome, began)

    def note(self, way: Way, operation: str, outcome: str, began: float) -> None:
        """Count one call that began then (monotonic seconds) and has just ended."""
        shop = way.deployed.shop
        took = self._house.clock.monotonic() - began
        if outcome not in {"rejected", "left"}:
            way.gate.window.note(began, took, failed=outcome not in FINE)
        metrics.SHOP_CALLS.add(shop, operation, outcome)
        metrics.SHOP_LATENCY.add(took, shop, operation)


FINE: frozenset[str] = frozenset({"ok", "not_found", "refused"})
"""Outcomes that say nothing against the shop."""
