"""Checks of events: Standard Webhooks with a CloudEvents body."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from ..call import Citizen  # noqa: TID252 (the same)
from ..contract import Event, EventType  # noqa: TID252 (the package is one thing)
from ..webhooks import TOLERANCE_S, secret_of  # noqa: TID252 (the same)
from . import letters
from .bench import Bench, fresh
from .checks import check, hears, hold
from .remote import told
from .sound import remote_of

on_events = partial(check, "events", once=True, when=hears)
on_events_wire = partial(check, "events", once=True, when=hears, needs="wire")
PLATFORM: Final = Citizen("platform", 1)
OTHER_SECRET: Final = secret_of(b"a secret that no shop was told.")


def happened(b: Bench, kind: EventType | None = None) -> Event:
    """Something that the shop wants to hear of."""
    events = b.manifest.webhooks.events if b.manifest.webhooks else []
    return Event(fresh("evt"), kind or events[0], b.app.id, b.target.now, {})


async def refused(b: Bench, letter: letters.Letter) -> None:
    """That an event is refused with 401."""
    reply = await remote_of(b).send(letter)
    hold(reply.status_code == 401, f"{told(reply)}, want 401")  # noqa: PLR2004 (RFC 9110)


@on_events()
async def events_are_heard(b: Bench) -> None:
    """Each kind of event that the manifest names is taken."""
    for kind in b.manifest.webhooks.events if b.manifest.webhooks else []:
        await b.ask("event", happened(b, kind), PLATFORM)


@on_events()
async def event_twice_is_no_fault(b: Bench) -> None:
    """An event comes at least once: the same one again is taken too."""
    event = happened(b)
    await b.ask("event", event, PLATFORM)
    await b.ask("event", event, PLATFORM)


@on_events_wire()
async def event_unsigned_is_refused(b: Bench) -> None:
    """An event without a signature is refused (401)."""
    await refused(b, letters.without(remote_of(b).webhook(happened(b)), b"webhook-signature"))


@on_events_wire()
async def event_by_another_secret_is_refused(b: Bench) -> None:
    """An event signed with another secret is refused (401)."""
    await refused(b, remote_of(b).webhook(happened(b), secret=OTHER_SECRET))


@on_events_wire()
async def event_altered_is_refused(b: Bench) -> None:
    """An event whose body was altered after signing is refused (401)."""
    letter = remote_of(b).webhook(happened(b))
    await refused(b, letters.altered(letter, body=letter.body.replace(b'"subject"', b'"subjecx"')))


@on_events_wire()
async def event_of_long_ago_is_refused(b: Bench) -> None:
    """An event signed longer ago than five minutes is refused (401)."""
    await refused(b, remote_of(b).webhook(happened(b), now=letters.seconds() - TOLERANCE_S - 60))


@on_events_wire()
async def event_of_tomorrow_is_taken(b: Bench) -> None:
    """An event of a kind that the shop doesn't know is answered with 2xx and ignored."""
    unheard: EventType = "unheard.of"  # pyright: ignore[reportAssignmentType] (that is the point)
    event = msgspec.structs.replace(happened(b), type=unheard)
    reply = await remote_of(b).send(remote_of(b).webhook(event))
    hold(reply.is_success, f"{told(reply)}, want 2xx")
