"""Checks of the capability `progress`."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

from ..contract import Progress, ProgressQuery  # noqa: TID252 (the package is one thing)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import SAMPLE, Bench, in_both_languages
from .checks import Failed, Skipped, asks_for_claims, check, hold, short

on_progress = partial(check, "progress", capability="progress")


async def matters(b: Bench, person: Person, **more: Any) -> list[Progress]:
    """A person's matters."""
    return await b.ask("progress.list", ProgressQuery(**more), person)


async def everybodys(b: Bench) -> list[tuple[Person, list[Progress]]]:
    """The sample's matters. Raises Failed where nobody has any."""
    found = [(person, await matters(b, person)) for person in b.people[:SAMPLE]]
    if not any(mine for _, mine in found):
        _nothing(b, "nobody of the sandbox's sample has a matter here")
    return found


def _nothing(b: Bench, seen: str) -> NoReturn:
    """Matters that citizens begin themselves needn't be there; others a sandbox has."""
    raise Skipped(seen) if "apply" in b.app.capabilities else Failed(seen)


@on_progress()
async def progress_newest_first(b: Bench) -> None:
    """Matters come newest first."""
    for _, mine in await everybodys(b):
        days = [m.applied_on for m in mine]
        hold(days == sorted(days, reverse=True), f"applied_on in the order {short(days)}")


@on_progress()
async def progress_in_both_languages(b: Bench) -> None:
    """Every text of a matter is there in Chinese and in English, whatever language was asked."""
    for _, mine in await everybodys(b):
        in_both_languages(mine)


@on_progress()
async def progress_by_id(b: Bench) -> None:
    """A matter asked for by its id is the one in the list."""
    for person, mine in await everybodys(b):
        for matter in mine:
            one = await b.ask("progress.get", matter.id, person)
            hold(one == matter, f"{matter.id}: {short(one)} is not {short(matter)}")


@on_progress()
async def progress_limit_respected(b: Bench) -> None:
    """With a limit of one only the newest matter comes, though there are more."""
    most = 0
    for person, mine in await everybodys(b):
        few = await matters(b, person, limit=1)
        most = max(most, len(mine))
        hold(len(few) == len(mine[:1]), f"{len(few)} matters for a limit of 1")
        newest = max((m.applied_on for m in mine), default=None)
        hold(all(m.applied_on == newest for m in few), "not the newest one")
    if most <= 1:
        _nothing(b, "nobody has two matters, so the limit limits nothing")


@on_progress()
async def progress_is_ones_own(b: Bench) -> None:
    """No matter is in the lists of two people."""
    owner: dict[str, str] = {}
    for person, mine in await everybodys(b):
        for matter in mine:
            first = owner.setdefault(matter.id, person.key)
            hold(first == person.key, f"{matter.id} is in two people's lists")


@on_progress()
async def progress_unknown_and_foreign_alike(b: Bench) -> None:
    """An id that doesn't exist and somebody else's are refused in the same words."""
    owned = [(person, mine[0]) for person, mine in await everybodys(b) if mine]
    if len(owned) == 1:
        _nothing(b, "only one person of the sample has a matter")
    (me, _), (_, theirs) = owned[:2]
    await b.alike("progress.get", theirs.id, me)


@on_progress(when=asks_for_claims)
async def progress_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, the list is refused."""
    await b.needs_claims("progress.list", ProgressQuery())
