"""The bench a check works at: one app of a shop, and the sandbox's people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import uuid4

import msgspec
from msgspec import Struct

from ..call import Citizen  # noqa: TID252 (the same)
from ..contract import (  # noqa: TID252 (the same)
    BillsQuery,
    Filled,
    FormQuery,
    ProgressQuery,
    SlotsQuery,
)
from ..errors import BadForm, NotFound, Refused, ShopError  # noqa: TID252 (the same)
from ..forms import Form  # noqa: TID252 (the same)
from ..local import local  # noqa: TID252 (the package is one thing)
from ..manifest import App, Manifest  # noqa: TID252 (the same)
from ..sandbox import Person, people  # noqa: TID252 (the same)
from ..testing import citizen_of  # noqa: TID252 (the same)
from .checks import Failed, Skipped, hold
from .targets import Target

SAMPLE: Final = 20
"""People whose answers are looked at: the personas and some households."""
UNKNOWN: Final = "no-such-thing-0"
DAYS_AHEAD: Final = 30
"""How far ahead appointments are looked for."""


class Probe(NamedTuple):
    """A question that changes nothing and that the shop must be able to answer."""

    app: App
    operation: str
    asked: Any


class Bench(Struct, frozen=True):
    """One app of a shop."""

    target: Target
    app: App
    people: list[Person]

    @property
    def manifest(self) -> Manifest:
        """The shop's."""
        return self.target.manifest

    def citizen(self, person: Person, *, claims: bool = True) -> Citizen:
        """A person as this app sees them."""
        level = max(2, self.app.min_level)
        return citizen_of(person, self.manifest, self.app, level=level, claims=claims)

    def other_than(self, person: Person) -> Person:
        """Somebody else."""
        return next(p for p in self.people if p != person)

    async def ask(
        self, operation: str, asked: Any, citizen: Person | Citizen, lang: str = "zh-CN"
    ) -> Any:
        """One checked answer of this app. Raises ShopError, WrongAnswer, Failed."""
        who = self.citizen(citizen) if isinstance(citizen, Person) else citizen
        return await self.target.call(self.app.id, operation, asked, who, lang)

    async def refusal(
        self, operation: str, asked: Any, citizen: Person | Citizen,
        kinds: type[ShopError] | tuple[type[ShopError], ...] = NotFound,
    ) -> ShopError:  # fmt: skip
        """The refusal of these kinds that this must end in. Raises Failed."""
        wanted = " or ".join(k.__name__ for k in (kinds if isinstance(kinds, tuple) else (kinds,)))
        try:
            answer = await self.ask(operation, asked, citizen)
        except kinds as error:
            return error
        except ShopError as error:
            raise Failed(f"{operation}: {said(error)}, want {wanted}") from error
        raise Failed(f"{operation}: an answer ({type(answer).__name__}), want {wanted}")

    async def needs_claims(self, operation: str, asked: Any) -> None:
        """That somebody without claims is refused. Raises Failed."""
        await self.refusal(operation, asked, Citizen("nobody", 2), Refused)

    async def alike(self, operation: str, theirs: Any, me: Person, unknown: Any = UNKNOWN) -> None:
        """That somebody else's is refused in the words of what doesn't exist. Raises Failed."""
        nobodys = await self.refusal(operation, unknown, me)
        foreign = await self.refusal(operation, theirs, me)
        hold(
            nobodys.detail == foreign.detail,
            f"{operation}: unknown {nobodys.detail!r}, somebody else's {foreign.detail!r}",
        )

    def probes(self) -> list[Probe]:
        """A reading question for each capability of this app that has one."""
        return [
            Probe(self.app, operation, asked)
            for capability in self.app.capabilities
            for operation, asked in self._reads(capability)
        ]

    def _reads(self, capability: str) -> Iterator[tuple[str, Any]]:
        match capability:
            case "progress":
                yield "progress.list", ProgressQuery()
            case "bills":
                yield "bills.list", BillsQuery()
            case "apply":
                yield "apply.form", FormQuery()
            case "appointments":
                yield "appointments.slots", self.days_ahead()
            case "calculate":
                yield "calculate.run", Filled(examples(self.app.forms.calculate))
            case "enquire":
                yield "enquire.run", Filled(examples(self.app.forms.enquire))
            case _:
                return

    def days_ahead(self, **more: Any) -> SlotsQuery:
        """The next weeks."""
        today = local(self.target.now)
        return SlotsQuery(today, today + timedelta(days=DAYS_AHEAD), **more)

    def probe(self) -> Probe:
        """One of them. Raises Skipped where the app has none."""
        found = self.probes()
        if not found:
            raise Skipped(f"{self.app.id} has no question that changes nothing")
        return found[0]

    async def answers(self, operation: str, asked: Any, person: Person) -> Any:
        """The answer, or the refusal as its words: for comparing."""
        try:
            return await self.ask(operation, asked, person)
        except ShopError as error:
            return said(error)


def bench_of(target: Target, app: App) -> Bench:
    """At this app, with the sandbox's people of the target's day."""
    return Bench(target, app, people(local(target.now)))


def examples(form: Form | None, *, optional: bool = True) -> dict[str, Any]:
    """A form filled in with its own examples."""
    fields = form.properties if form else {}
    needed = form.required if form else []
    return {name: f.example for name, f in fields.items() if optional or name in needed}


def fresh(prefix: str) -> str:
    """An id that was never used."""
    return f"{prefix}-{uuid4().hex}"


def said(error: ShopError) -> str:
    """A refusal in a few words."""
    return f"{type(error).__name__}({error.detail!r})"


def texts(node: Any, at: str = "$") -> Iterator[tuple[str, dict[str, str]]]:
    """Every text in plain data, with its path."""
    if isinstance(node, dict):
        known = cast("dict[str, Any]", node)
        if known.keys() & {"zh-CN", "en"}:
            yield at, known
        else:
            for key, value in known.items():
                yield from texts(value, f"{at}.{key}")
    elif isinstance(node, list):
        for i, value in enumerate(cast("list[Any]", node)):
            yield from texts(value, f"{at}[{i}]")


def in_both_languages(what: Any) -> None:
    """That no text of this lacks a language. Raises Failed."""
    for at, text in texts(msgspec.to_builtins(what)):
        hold(text.keys() == {"zh-CN", "en"} and all(text.values()), f"{at}: {text}")


def reasons_known(error: BadForm, form: Form) -> None:
    """That a refused form names fields that there are. Raises Failed."""
    hold(error.reasons, "BadForm without a reason")
    for reason in error.reasons:
        known = reason.field is None or reason.field in form.properties
        hold(known, f"BadForm names {reason.field!r}, which is no field")
    in_both_languages(error.reasons)
