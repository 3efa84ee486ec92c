"""Checks of the capability `apply`."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec

from ..contract import ApplyForm, FormQuery, Outcome, Reason, Submission, Supplement, Withdrawal  # noqa: TID252 (the package is one thing)
from ..errors import BadForm, NotFound, Refused, ShopError, Unavailable  # noqa: TID252 (the same)
from ..forms import wrong  # noqa: TID252 (the same)
from ..sandbox import Person  # noqa: TID252 (the same)
from .bench import SAMPLE, UNKNOWN, Bench, examples, fresh, in_both_languages, reasons_known, said
from .checks import Failed, Skipped, asks_for_claims, check, fail, hold, short

on_apply = partial(check, "apply", capability="apply")
TRIED: Final = 150
"""People who apply until one is accepted: a department may take one application of each."""
MENDED: Final = 3
"""Times that one person mends a form that was refused."""
PAPER: Final = b"%PDF-1.4\n% a sandbox's paper\n%%EOF\n"


class Applied(msgspec.Struct, frozen=True):
    """An application that was accepted."""

    person: Person
    asked: Submission
    outcome: Outcome

    @property
    def reference(self) -> str:
        """The department's name for it."""
        return self.outcome.reference or ""


async def form_of(b: Bench, person: Person) -> ApplyForm:
    """The form as a person gets it."""
    return await b.ask("apply.form", FormQuery(), person)


async def forms(b: Bench) -> list[tuple[Person, ApplyForm]]:
    """Forms of the sample; not everybody gets one. Raises Failed where nobody does."""
    found: list[tuple[Person, ApplyForm]] = []
    last: ShopError | None = None
    for person in b.people[:SAMPLE]:
        try:
            found.append((person, await form_of(b, person)))
        except (NotFound, Refused) as error:
            last = error
    hold(found, f"nobody gets the form: {last!r}")
    return found


def submission(b: Bench, form: ApplyForm, values: dict[str, Any] | None = None) -> Submission:
    """The form filled in with what is prefilled, else with its examples, and a paper for each."""
    if values is None:
        values = examples(form.schema) | {n: known.value for n, known in form.prefill.items()}
    case_id = fresh("case")
    papers = [b.target.hand_in(case_id, m.code, PAPER, m.media[0]) for m in form.materials]
    return Submission(case_id, values, materials=papers)


async def applied(b: Bench) -> Applied:
    """Somebody's accepted application. Raises Skipped where nobody's is accepted at once."""
    last: object = "nobody asked"
    for person in b.people[:TRIED]:
        try:
            found = await _applied(b, person)
        except Unavailable as error:
            raise Skipped(f"it needs more than a kit has: {error.detail}") from error
        except (BadForm, NotFound, Refused) as error:
            last = error
            continue
        if found.outcome.state == "accepted":
            return found
        last = found.outcome
    raise Skipped(f"nobody's example is accepted at once: {short(last)}")


async def _applied(b: Bench, person: Person) -> Applied:
    """Somebody's application, mended where its refusal names fields: as a person at the form would."""
    form = await form_of(b, person)
    found = await _submitted(b, person, submission(b, form))
    for _ in range(MENDED):
        if found.outcome.state != "refused":
            break
        values = _mended(form, found.asked.form, found.outcome.reasons)
        if values == found.asked.form:
            break
        found = await _submitted(b, person, submission(b, form, values))
    return found


async def _submitted(b: Bench, person: Person, asked: Submission) -> Applied:
    try:
        outcome = await b.ask("apply.submit", asked, person)
    except BadForm as error:
        outcome = Outcome("refused", reasons=error.reasons)
    return Applied(person, asked, outcome)


def _mended(form: ApplyForm, values: dict[str, Any], reasons: list[Reason]) -> dict[str, Any]:
    """Without the optional fields that were wrong, and with those that were missing."""
    named = {reason.field for reason in reasons} & form.schema.properties.keys()
    given = examples(form.schema)
    kept = {n: v for n, v in values.items() if n not in named or n in form.schema.required}
    return kept | {n: given[n] for n in named if n is not None and n not in values}


@on_apply()
async def form_in_both_languages(b: Bench) -> None:
    """Every text of the form is there in Chinese and in English."""
    for _, form in await forms(b):
        in_both_languages(form)


@on_apply()
async def form_prefilled_with_what_fits(b: Bench) -> None:
    """What a form is filled in with fits its fields."""
    for _, form in await forms(b):
        known = {name: value.value for name, value in form.prefill.items()}
        for fault in wrong(form.schema, examples(form.schema) | known):
            fail(f"{fault.field}: {fault.problem}")


@on_apply()
async def form_is_the_same_twice(b: Bench) -> None:
    """Asking for the form changes nothing: asked again it is the same."""
    person, first = (await forms(b))[0]
    again = await form_of(b, person)
    hold(first == again, f"{short(first)}, then {short(again)}")


@on_apply(when=asks_for_claims)
async def submit_needs_its_claims(b: Bench) -> None:
    """Without the claims that the app asks for, an application is refused."""
    asked = submission(b, (await forms(b))[0][1])
    await b.needs_claims("apply.submit", asked)


@on_apply()
async def submit_says_one_of_three(b: Bench) -> None:
    """The form filled in with its examples is accepted, pending, or refused with reasons."""
    for person, form in (await forms(b))[:3]:
        asked = submission(b, form)
        try:
            in_both_languages(await b.ask("apply.submit", asked, person))
        except BadForm as error:
            reasons_known(error, form.schema)
        except Unavailable as error:
            raise Skipped(f"it needs more than a kit has: {error.detail}") from error
        except ShopError as error:
            hold(isinstance(error, Refused), said(error))


@on_apply()
async def submitted_twice_is_one_case(b: Bench) -> None:
    """An application comes at least once: the same case gets the same answer."""
    done = await applied(b)
    again = await b.answers("apply.submit", done.asked, done.person)
    hold(again == done.outcome, f"{short(done.outcome)}, then {short(again)}")


@on_apply()
async def submitted_can_be_followed(b: Bench) -> None:
    """An accepted application can be asked after by its reference."""
    done = await applied(b)
    try:
        matter = await b.ask("progress.get", done.reference, done.person)
    except NotFound as error:
        raise Failed(f"progress.get {done.reference}: not found") from error
    in_both_languages(matter)


@on_apply()
async def submitted_is_private(b: Bench) -> None:
    """Somebody else's application is refused in the words of one that doesn't exist."""
    done = await applied(b)
    await b.alike("progress.get", done.reference, b.other_than(done.person))


@on_apply()
async def supplemented_twice_is_the_same(b: Bench) -> None:
    """A supplement comes at least once: the same case and `seq` get the same answer."""
    done = await applied(b)
    more = Supplement(done.asked.case_id, done.reference, 1, done.asked.form, done.asked.materials)
    first, again = [await b.answers("apply.supplement", more, done.person) for _ in range(2)]
    hold(first == again, f"{short(first)}, then {short(again)}")


@on_apply()
async def supplement_of_another_is_not_found(b: Bench) -> None:
    """A supplement to somebody else's application is refused as one to none."""
    done = await applied(b)
    more = Supplement(done.asked.case_id, done.reference, 1, done.asked.form)
    unknown = Supplement(fresh("case"), UNKNOWN, 1, done.asked.form)
    await b.alike("apply.supplement", more, b.other_than(done.person), unknown)


@on_apply()
async def withdrawn_twice_is_the_same(b: Bench) -> None:
    """A withdrawal comes at least once: asked again, the answer is the same."""
    done = await applied(b)
    back = Withdrawal(done.asked.case_id, done.reference)
    first, again = [await b.answers("apply.withdraw", back, done.person) for _ in range(2)]
    hold(first == again, f"{short(first)}, then {short(again)}")


@on_apply()
async def withdrawn_is_over(b: Bench) -> None:
    """An application that was taken back is not running any more."""
    done = await applied(b)
    back = Withdrawal(done.asked.case_id, done.reference)
    outcome = await b.ask("apply.withdraw", back, done.person)
    if outcome.state != "accepted":
        raise Skipped(f"the withdrawal is {outcome.state}")
    matter = await b.ask("progress.get", done.reference, done.person)
    hold(matter.state in {"refused", "finished"}, f"it is {matter.state}")


@on_apply()
async def withdrawal_of_another_is_not_found(b: Bench) -> None:
    """Somebody else's application can't be taken back; it is refused as one that doesn't exist."""
    done = await applied(b)
    theirs = Withdrawal(done.asked.case_id, done.reference)
    unknown = Withdrawal(fresh("case"), UNKNOWN)
    await b.alike("apply.withdraw", theirs, b.other_than(done.person), unknown)
