"""Assembles everything: the one place that names every room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import httpx
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Tag
from msgspec import Struct

from civicmall import (
    __version__,
    cases,
    catalogue,
    citizen_web,
    console,
    gateway,
    identity,
    inbox,
    openapi,
    payments,
    ratings,
    recommend,
    releases,
    shops,
)
from civicmall.kernel import crypto, db, http, idempotency, jobs, logs, migrate, mode, outbox
from civicmall.kernel import routes as ops
from civicmall.kernel.clock import Clock
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House
from civicmall.kernel.middleware import Outermost
from civicmall.kernel.outbox import Drain, Handlers
from civicmall.kernel.personal import Personal

log = logs.get("app")
HERE: Final = Path(__file__).parent
ROOMS: Final = (
    "kernel", "shops", "catalogue", "identity", "inbox", "releases", "gateway", "payments", "cases",
    "recommend", "ratings",
)  # fmt: skip
"""The rooms that keep tables, lowest first."""
SEALED: Final = (*identity.SEALED, *cases.SEALED)
"""What is sealed at rest, and is sealed anew when the keys rotate."""
CITIZEN: Final[list[dict[str, list[str]]]] = [{"citizen": []}]
STAFF: Final[list[dict[str, list[str]]]] = [{"staff": []}]
TAGS: Final = {
    "sign-in": "Codes, tokens, keys.",
    "me": "The signed-in citizen: profile, consents, who looked.",
    "home": "What life calls for now, and what is owed.",
    "catalogue": "The public service catalogue; no sign-in needed.",
    "shops": "Departments' shops and their apps' typed answers.",
    "cases": "Applications: forms, materials, where they stand, what came of them.",
    "payments": "Orders, paying, receipts.",
    "ratings": "Ratings, rectifications, the satisfaction index.",
    "inbox": "Messages to the citizen.",
    "channels": "What payment channels call.",
    "callbacks": "What shops at addresses of their own call.",
    "oauth": "For clients that sign citizens in here: OAuth 2.0 and OpenID Connect.",
    "staff": "Staff's sign-in.",
    "desk": "What departments and operators work with.",
    "sandbox": "Only in a sandbox: messages, people, the cashier.",
    "ops": "For those who run it.",
}


class Parts(Struct):
    """What a running process is made of."""

    house: House
    registry: shops.Registry
    gateway: gateway.Gateway
    tokens: identity.Tokens
    federation: identity.Federation
    authority: identity.levels.Authority
    channels: payments.Channels
    catalogue: catalogue.Catalogue
    personal: tuple[Personal, ...]
    drain: Drain
    handlers: Handlers
    jobs: list[jobs.Job]


def open_registry(settings: Settings) -> shops.Registry:
    """Find and import the shops. Blocks, and runs their code: before the event loop."""
    return shops.load(shops.discover(settings.plugins))


async def prepare(settings: Settings, registry: shops.Registry) -> list[str]:
    """Migrate, load the content, and in a sandbox make the staff. Answers what was applied."""
    keys = crypto.load(settings.data_dir)
    password = keys.password(db.APP_ROLE)
    rooms = [migrate.Room(n, HERE / n / "migrations", password=password) for n in ROOMS]
    applied = await migrate.apply(settings.database_url, rooms)
    for entry in registry.all():
        room = None if entry.shop is None else gateway.room(entry.shop, keys)
        if room is None:
            continue
        try:
            applied += await migrate.apply(settings.database_url, [room])
        except migrate.MigrationRefused as error:
            registry.report(entry.id, str(error))  # costs this shop, not the city
    await migrate.close_door(settings.database_url)
    pool = await db.open_pool(settings.database_url, password=password, size_max=2)
    try:
        house = House(settings, Clock(), keys, pool)
        await mode.keep(pool, sandbox=settings.sandbox)
        await identity.first_signing_key(house)
        await shops.record(pool, registry)
        await releases.record(house, registry)
        await identity.agreements.fill_purposes(pool, registry.purposes())
        await catalogue.load(pool)
        if settings.sandbox:
            await identity.sandbox.add_staff(
                house,
                [
                    (e.id, e.manifest.contacts.responsible["zh-CN"])
                    for e in registry.all()
                    if e.manifest is not None
                ],
            )
    finally:
        await pool.close()
    return applied


async def check(settings: Settings) -> list[str]:
    """What is wrong with the books: a ledger that doesn't balance, a closed day that isn't as it was
    (of the ledger, or of the citizens' audit), events that were given up on.
    """
    keys = crypto.load(settings.data_dir)
    password = keys.password(db.APP_ROLE)
    pool = await db.open_pool(settings.database_url, password=password, size_max=1)
    try:
        total = sum(account.balance_minor for account in await payments.ledger.balances(pool))
        differing = await payments.ledger.differing(pool)
        torn = await identity.audit.look(pool, keys)
        counts = await outbox.counts(pool)
    finally:
        await pool.close()
    findings = [f"the ledger sums to {total}, not to zero"] if total else []
    findings += [
        f"the ledger of {one.day_on}, bucket {one.bucket}: {one.closed} postings were closed, now there"
        f" are {one.found}; run `civicmall ledger verify`"
        for one in differing
    ]
    findings += [f"the audit: {one}; run `civicmall audit verify`" for one in torn]
    return findings + ([f"{counts.dead} events were given up on"] if counts.dead else [])


@asynccontextmanager
async def assemble(
    settings: Settings, registry: shops.Registry, clock: Clock | None = None
) -> AsyncGenerator[Parts]:
    """Everything that a process has, opened and closed in order."""
    async with AsyncExitStack() as stack:
        keys = crypto.load(settings.data_dir)
        pool = await db.open_pool(
            settings.database_url,
            password=keys.password(db.APP_ROLE),
            size_max=settings.pool_max,
        )
        stack.push_async_callback(_close, pool)
        await mode.keep(pool, sandbox=settings.sandbox)
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        handlers = Handlers()
        drain = Drain(pool, handlers)
        here = clock or Clock()
        texts = identity.senders.open_sender(os.environ, client, here, sandbox=settings.sandbox)
        house = House(settings, here, keys, pool, hint=drain.hint, texts=texts)
        tokens = identity.Tokens(house.keys, settings.public_url, house.clock)
        federation = identity.federation.open_federation(house, client)
        authority = identity.levels.open_authority(house, client, tokens.signing)
        await identity.learn_keys(house, tokens)
        await releases.refresh(pool, registry)
        gate = gateway.Gateway(house, registry)
        stack.push_async_callback(gate.stop)
        tokens.show(gate.platform.jwk())
        inbox.listen(handlers)
        gateway.listen(handlers, gate)
        identity.exchange.logout.listen(handlers)
        gateway.tell_logouts(handlers, house, tokens, gate.platform)
        await gate.start()
        channels = payments.open_channels(house, client)
        payments.listen(handlers, house, gate, channels, client)
        debits = payments.mandates.Means(house, gate, registry, channels)
        payments.mandates.listen(handlers, debits)
        gate.calls.give_material = cases.give_material(house)
        gate.callbacks.tell_case = partial(cases.told, house)
        cases.listen(handlers, registry)
        ratings.listen(handlers, house, registry, gate)
        identity.attributes.listen(handlers)
        identity.objections.listen(handlers)
        held = _personal(registry, gate)
        yield Parts(
            house=house,
            registry=registry,
            gateway=gate,
            tokens=tokens,
            federation=federation,
            authority=authority,
            channels=channels,
            catalogue=await catalogue.snapshot(pool),
            personal=held,
            drain=drain,
            handlers=handlers,
            jobs=[
                *idempotency.jobs(pool),
                *identity.jobs(house, tokens),
                *identity.attributes.jobs(house, held),
                *inbox.jobs(house),
                *releases.jobs(house, registry),
                *gateway.jobs(house, gate),
                *payments.jobs(house, channels),
                *payments.mandates.jobs(debits),
                *cases.jobs(house, gate),
                *ratings.jobs(house),
            ],
        )


def _personal(registry: shops.Registry, gate: gateway.Gateway) -> tuple[Personal, ...]:
    """What each room keeps about a citizen; who they are goes last, for the rest is found by it."""
    return (
        gateway.personal(registry, gate.gates),
        payments.personal.personal(),
        cases.personal(),
        ratings.personal(),
        recommend.personal(),
        inbox.personal(),
        idempotency.personal(),
        identity.personal.personal(),
    )


async def _close(pool: db.Pool) -> None:
    """Let statements finish, but not for ever: a hanging one must not hold the process."""
    try:
        async with asyncio.timeout(5):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def create_app(
    settings: Settings, registry: shops.Registry, clock: Clock | None = None
) -> Outermost:
    """The ASGI application."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with assemble(settings, registry, clock) as parts:
            app.state.openapi = cache(partial(openapi.document, app))  # costs 0.2 s, once
            for name in Parts.__struct_fields__:
                setattr(app.state, name, getattr(parts, name))
            tasks = [
                asyncio.create_task(jobs.keep(job), name=job.name)
                for job in parts.jobs
                if settings.workers or job.everywhere
            ]
            if settings.workers:
                tasks.append(asyncio.create_task(parts.drain.run(), name="outbox"))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    routers = [
        *ops.routers, *openapi.routers, *shops.routers, *catalogue.routers, *identity.routers, *inbox.routers,
        *releases.routers,
        *gateway.routers, *payments.routers, *cases.routers, *recommend.routers, *ratings.routers,
        *citizen_web.routers, *console.routers,
    ]  # fmt: skip
    for router in routers:
        guards: set[Any] = {*router.guards}  # pyright: ignore[reportUnknownMemberType] (generic)
        if identity.citizen_only in guards:
            router.security = CITIZEN
        elif guards & identity.STAFF_GUARDS:
            router.security = STAFF
    app = Litestar(
        route_handlers=routers,
        lifespan=[lifespan],
        exception_handlers={**http.HANDLERS, NotFoundException: citizen_web.lost},
        dependencies=_dependencies(),
        request_max_body_size=http.BODY_MAX,
        openapi_config=openapi_config(),
        logging_config=None,
    )
    return Outermost(http.one_by_one(app), gateway.Raw(app.state), gateway.Typed(app))


def openapi_config() -> OpenAPIConfig:
    """The document's head; openapi.py completes and serves it."""
    return OpenAPIConfig(
        title="CivicMall",
        version=__version__,
        summary="One entry to everything a city does for people.",
        security=[],
        tags=[Tag(name, description) for name, description in TAGS.items()],
        components=Components(
            security_schemes={
                "citizen": _bearer("A citizen's access token (/v1/sign-in/tokens)."),
                "staff": _bearer("A staff account's access token (/v1/staff/tokens)."),
            }
        ),
        # Litestar's own pages load scripts from elsewhere; ours are /openapi.json and /docs.
        openapi_router=Router(
            "/openapi", route_handlers=[], guards=[http.public], include_in_schema=False
        ),
        render_plugins=[JsonRenderPlugin()],
    )


def _bearer(description: str) -> SecurityScheme:
    return SecurityScheme("http", description, scheme="bearer", bearer_format="JWT")


def _dependencies() -> dict[str, Provide]:
    """What handlers may ask for by name."""

    def state(name: str) -> http.LookedUp:
        return http.LookedUp(lambda connection: getattr(connection.app.state, name))

    names = (
        "house",
        "registry",
        "gateway",
        "tokens",
        "federation",
        "authority",
        "channels",
        "catalogue",
        "personal",
    )
    return {
        **{name: state(name) for name in names},
        "db": http.LookedUp(lambda connection: connection.app.state.house.db),
        "lang": http.LookedUp(http.language),
        "caller": http.LookedUp(identity.provide_caller),
        "staff": http.LookedUp(identity.provide_staff),
    }
