"""A question that a shop at an address answers, as the ground that the checks of the wire stand on."""

from __future__ import annotations

from typing import Any, cast

import httpx
import msgspec
from msgspec import Struct

from ..call import Citizen  # noqa: TID252 (the package is one thing)
from ..manifest import App  # noqa: TID252 (the same)
from . import letters
from .bench import SAMPLE, Bench, bench_of
from .checks import Failed, Skipped, hold
from .letters import Letter
from .remote import Remote, problem, told


class Sound(Struct, frozen=True):
    """Well-made letters for a question that changes nothing, and that is answered."""

    remote: Remote
    app: App
    operation: str
    asked: Any
    citizen: Citizen

    @property
    def path(self) -> str:
        """Where it is asked."""
        return self.remote.path(self.app.id, self.operation)

    @property
    def body(self) -> bytes:
        """What is asked."""
        return msgspec.json.encode(self.asked)

    @property
    def vouched(self) -> str:
        """For whom it is asked."""
        return self.remote.vouched(self.app.id, self.citizen)

    def letter(self, **how: Any) -> Letter:
        """The question, well made but for `how` (as in `letters.signed`)."""
        body, vouched = how.pop("body", self.body), how.pop("vouched", self.vouched)
        pen = how.pop("pen", self.remote.pen)
        return letters.signed(how.pop("path", self.path), body, vouched, pen=pen, **how)

    async def send(self, letter: Letter) -> httpx.Response:
        """What comes back, whatever it is."""
        return await self.remote.send(letter)

    async def refused(self, letter: Letter, status: int = 401, *kinds: str) -> None:
        """That the letter is answered with this status and one of these problems. Raises Failed."""
        reply = await self.remote.send(letter)
        hold(reply.status_code == status, f"{told(reply)}, want {status}")
        said = problem(reply)
        wanted = kinds or ("signature", "assertion")
        hold(said.kind in wanted, f"type {said.type!r}, want {' or '.join(wanted)}")

    async def declined(self, letter: Letter) -> None:
        """That the letter is answered with a 4xx problem. Raises Failed."""
        reply = await self.remote.send(letter)
        hold(400 <= reply.status_code < 500, f"{told(reply)}, want 4xx")  # noqa: PLR2004 (RFC 9110 classes)
        problem(reply)

    async def answers(self) -> None:
        """That the well-made question is still answered. Raises Failed."""
        reply = await self.remote.send(self.letter())
        hold(reply.is_success, f"a well-made question: {told(reply)}")


def remote_of(b: Bench) -> Remote:
    """The shop at its address; checks with `needs="wire"` have no other."""
    return cast("Remote", b.target)


async def sound(b: Bench) -> Sound:
    """A question of any app, and somebody for whom it is answered. Raises Skipped, Failed."""
    remote, asked_any, last = remote_of(b), False, ""
    for app in b.manifest.apps:
        bench = bench_of(remote, app)
        for probe in bench.probes():
            asked_any = True
            for person in bench.people[:SAMPLE]:
                found = Sound(remote, app, probe.operation, probe.asked, bench.citizen(person))
                reply = await remote.send(found.letter())
                if reply.is_success:
                    return found
                last = f"{probe.operation}: {told(reply)}"
    if not asked_any:
        raise Skipped("the shop has no question that changes nothing")
    raise Failed(f"no question is answered: {last}")
