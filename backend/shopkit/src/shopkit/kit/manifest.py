"""Checks of the shop as such: what it says of itself, what it keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

from .. import sql  # noqa: TID252 (the package is one thing)
from ..errors import NotFound, ShopError  # noqa: TID252 (the same)
from ..sandbox import REGION  # noqa: TID252 (the same)
from .bench import SAMPLE, Bench, Probe, in_both_languages
from .checks import Skipped, attests, check, hold, short
from .targets import InProcess

SQL: Final = sql.load(Path(__file__).with_name("queries.sql"))
PHONES: Final = "1990000"
"""The block of the sandbox's phone numbers."""
PHONE_LENGTH, ID_LENGTH = 11, 18


@check("manifest", once=True)
async def manifest_in_both_languages(b: Bench) -> None:
    """Every text of the manifest is there in Chinese and in English."""
    in_both_languages(b.manifest)


@check("manifest")
async def capabilities_served(b: Bench) -> None:
    """Each capability that the manifest declares has its code."""
    if isinstance(b.target, InProcess):
        b.target.test.shop.check()
    for probe in b.probes():
        hold(await _anybody(b, probe), f"{probe.operation}: not found, whoever asks")


async def _anybody(b: Bench, probe: Probe) -> bool:
    """Whether somebody gets an answer or a refusal with a reason: then there is code."""
    for person in b.people[:SAMPLE]:
        try:
            await b.ask(probe.operation, probe.asked, person)
        except NotFound:
            continue
        except ShopError:
            pass
        return True
    return probe.operation == "enquire.run"  # perhaps nobody of the sample is in the records


@check("manifest", needs="inside")
async def seeding_again_changes_nothing(b: Bench) -> None:
    """Every start of a sandbox seeds, so answers before and after are the same."""
    inside = cast("InProcess", b.target)
    if inside.test.shop.seeder is None:
        raise Skipped("the shop seeds nothing")

    async def answers() -> list[Any]:
        return [
            await b.answers(probe.operation, probe.asked, person)
            for person in b.people[:SAMPLE]
            for probe in b.probes()
        ]

    before, meanwhile = await answers(), await answers()
    await inside.test.seed()
    for first, was, now in zip(before, meanwhile, await answers(), strict=True):
        # What differs by itself isn't seeding's fault; other checks look at it.
        hold(first != was or was == now, f"{short(was)} became {short(now)}")


@check("manifest", needs="inside", once=True)
async def no_personal_numbers_in_clear(b: Bench) -> None:
    """No ID number and no phone number stands in any of the shop's tables, as text or as bytes."""
    inside = cast("InProcess", b.target)
    if inside.test.shop.migrations is None:
        raise Skipped("the shop keeps no tables")
    numbers = {n for p in b.people for n in (p.id_number, p.phone)}
    region, phones = REGION.encode().hex(), PHONES.encode().hex()
    wanted = (
        rf"({REGION}\d{{11}}[0-9X]|{PHONES}\d{{4}}|{region}[0-9a-f]{{24}}|{phones}[0-9a-f]{{8}})"
    )
    for table in await inside.db.fetch(SQL["tables"].text):
        rows = await inside.db.fetch(SQL["found"].text.replace("{table}", str(table[0])), wanted)
        seen = {str(row[0]) for row in rows}
        as_bytes = {s for s in seen if len(s) in {2 * PHONE_LENGTH, 2 * ID_LENGTH}}
        seen |= {bytes.fromhex(s).decode("latin-1") for s in as_bytes}
        hold(not seen & numbers, f"table {table[0]} has {len(seen & numbers)} of them")


@check("manifest", needs="inside", when=attests)
async def attests_what_it_names(b: Bench) -> None:
    """What the shop attests of citizens is named in its manifest, has the attribute's type, and is of no day to come."""
    inside = cast("InProcess", b.target)
    for person in b.people[:SAMPLE]:
        for probe in b.probes():
            await b.answers(probe.operation, probe.asked, person)
    hold(not inside.test.misattested, "; ".join(inside.test.misattested))
