"""Makes every check of a shop and tells what came of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ..answers import WrongAnswer  # noqa: TID252 (the package is one thing)
from ..errors import BadManifest, ShopError  # noqa: TID252 (the same)
from ..manifest import App, Manifest  # noqa: TID252 (the same)
from .bench import bench_of, said
from .checks import CHECKS, SEEN_MAX, Check, Failed, Skipped
from .remote import Remote
from .targets import Target

GROUPS: Final = (
    "manifest", "wire", "bodies", "security", "vouching", "progress", "bills", "apply",
    "appointments", "calculate", "enquire", "raw", "events",
)  # fmt: skip
"""In the order in which they are made and reported: what others rest on comes first."""


class Finding(Struct, frozen=True):
    """What came of one check. `app` is empty where it is about the whole shop."""

    check: str
    app: str
    asks: str
    seen: str
    result: Literal["passed", "failed", "skipped"]


class Planned(Struct, frozen=True):
    """A check to be made."""

    check: Check
    app: App
    excuse: str = ""

    @property
    def about(self) -> str:
        """The app's id; empty for the whole shop."""
        return "" if self.check.once else self.app.id


def plan(manifest: Manifest, where: Literal["inside", "wire"]) -> list[Planned]:
    """Every check for every app. Those that don't apply have an excuse."""
    planned: list[Planned] = []
    for check in sorted(CHECKS.values(), key=lambda c: GROUPS.index(c.group)):
        excuse = "" if check.needs in {"any", where} else _ELSEWHERE[check.needs]
        planned += [
            Planned(check, app, excuse or check.excused(app, manifest))
            for app in (manifest.apps[:1] if check.once else manifest.apps)
        ]
    return planned


_ELSEWHERE = {
    "inside": "looks into a Python shop; this one is at an address",
    "wire": "about requests over HTTP; this shop is asked in-process",
}


async def run(
    target: Target, *, apps: Collection[str] = (), only: Collection[str] = (),
    told: Callable[[Finding], object] = lambda _: None,
) -> list[Finding]:  # fmt: skip
    """All checks of a shop, or those of some `apps`, or `only` some by name; each is `told`."""
    where = "wire" if isinstance(target, Remote) else "inside"
    findings: list[Finding] = []
    for planned in plan(target.manifest, where):
        wanted = (not apps or planned.check.once or planned.app.id in apps) and (
            not only or planned.check.name in only
        )
        if wanted:
            finding = await make(target, planned)
            findings.append(finding)
            told(finding)
    return findings


async def make(target: Target, planned: Planned) -> Finding:
    """One check."""
    check = planned.check
    seen = planned.excuse
    result: Literal["passed", "failed", "skipped"] = "skipped"
    if not planned.excuse:
        bench = bench_of(target, planned.app)
        try:
            await check.run(bench)
        except Skipped as error:
            seen = str(error)
        except Exception as error:  # noqa: BLE001 (whatever a shop's code raises is what was seen)
            result, seen = "failed", _seen(error)
        else:
            result = "passed"
    return Finding(check.name, planned.about, check.asks, seen, result)


def _seen(error: Exception) -> str:
    match error:
        case Failed():
            return error.seen
        case WrongAnswer():
            return f"an answer against the contract: {error}"[:SEEN_MAX]
        case ShopError():
            return f"refused: {said(error)}"[:SEEN_MAX]
        case BadManifest():
            return str(error)[:SEEN_MAX]
        case TimeoutError():
            return "no answer within the manifest's timeout_ms"
        case _:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {error} ({last.name}, line {last.lineno})"[:SEEN_MAX]


def as_json(findings: list[Finding]) -> bytes:
    """The report, for programs."""
    return msgspec.json.format(msgspec.json.encode(findings), indent=1) + b"\n"
