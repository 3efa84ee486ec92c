"""What forms send: one Struct each, read from `application/x-www-form-urlencoded`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Struct

from civicmall import payments
from civicmall.kernel import web
from civicmall.kernel.errors import BadRequest

from .reader import Web

Nonce = Annotated[str, Meta(pattern=r"^[\w-]{8,64}$")]
Next = Annotated[str, Meta(max_length=500)]
Said = Annotated[str, Meta(max_length=2_000)]
F = TypeVar("F", bound=Struct)


class Phone(Struct, frozen=True):
    """Where to send a code; empty: to the same phone once more."""

    phone: Annotated[str, Meta(pattern=r"^(1[3-9]\d{9})?$")] = ""
    next: Next = ""


class Code(Struct, frozen=True):
    """The code that came."""

    code: Annotated[str, Meta(pattern=r"^\d{6}$")]
    next: Next = ""


class RealName(Struct, frozen=True):
    """Name and number as the citizen writes them."""

    name: Annotated[str, Meta(max_length=60)]
    id_number: Annotated[str, Meta(max_length=40)]
    next: Next = ""


class Fact(Struct, frozen=True):
    """One fact in the citizen's own words; an empty value forgets it."""

    attribute: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,39}$")]
    value: Annotated[str, Meta(max_length=100)] = ""
    next: Next = ""


class FactSwitch(Struct, frozen=True):
    """Whether the home may look at a fact."""

    attribute: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,39}$")]
    on: Literal["1", "0"]


class Objection(Struct, frozen=True):
    """That what a source attests is wrong; or, with `back`, that it is right after all."""

    attribute: Annotated[str, Meta(pattern=r"^[a-z][a-z_]{0,39}$")]
    source: Annotated[str, Meta(max_length=40)]
    words: Said = ""
    back: Literal["", "1"] = ""


class ReadingObjection(Struct, frozen=True):
    """That the citizen doesn't agree with a reading, from a page that has its own key."""

    line: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    words: Said
    key: Nonce


class Event(Struct, frozen=True):
    """A life event, from a page that has its own key."""

    kind: Annotated[str, Meta(max_length=40)]
    on: Annotated[str, Meta(max_length=10)]
    key: Nonce


class EventChange(Struct, frozen=True):
    """What an event was really, or that it is to be removed."""

    kind: Annotated[str, Meta(max_length=40)]
    on: Annotated[str, Meta(max_length=10)]
    remove: Literal["", "1"] = ""


class CardSaid(Struct, frozen=True):
    """What a citizen says about a card of the home."""

    action: Literal["dismiss", "snooze", "not_me"]


class Switch(Struct, frozen=True):
    """On or off."""

    on: Literal["1", "0"]


class TakenBack(Struct, frozen=True):
    """What somebody may not know any more: one claim, or all."""

    grantee: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    claim: Annotated[str, Meta(max_length=80, pattern=r"^[^\x00]*$")] = ""


class Agreed(Struct, frozen=True):
    """The facts that an app may have."""

    claim: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=8)] = []
    purpose: Annotated[list[Annotated[str, Meta(max_length=400)]], Meta(max_length=8)] = []
    """What each is for, as the page said it, in zh-CN."""
    next: Next = ""


class Wanted(Struct, frozen=True):
    """Bills to pay in one order, and the nonce of the page that they were chosen on."""

    key: Nonce
    charge: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=100)] = []


class BackAgain(Struct, frozen=True):
    """Money of a line that is wanted back. No amount: all of it."""

    key: Nonce
    reason: payments.refunds.Reason = "other"
    amount: Annotated[str, Meta(max_length=20)] = ""
    words: Said = ""


class Insured(Struct, frozen=True):
    """Through which channel the payer pays what the medical insurance doesn't."""

    channel: payments.ChannelName = "sandbox"


class PaidBy(Struct, frozen=True):
    """Through which channel; empty: the first."""

    channel: Annotated[str, Meta(max_length=40)] = ""


class AtCashier(Struct, frozen=True):
    """What was chosen at the sandbox's cashier."""

    token: Annotated[str, Meta(max_length=64)]
    choice: payments.Choice


class Rated(Struct, frozen=True):
    """Stars, words, and the tags of every level; only the chosen level's count."""

    key: Nonce
    stars: Annotated[int, Meta(ge=1, le=5)]
    comment: Said = ""
    tags_1: list[str] = []
    tags_2: list[str] = []
    tags_3: list[str] = []
    tags_4: list[str] = []
    tags_5: list[str] = []

    def tags(self) -> list[str]:
        """The tags that belong to the stars."""
        found: list[str] = getattr(self, f"tags_{self.stars}")
        return found


class Confirmed(Struct, frozen=True):
    """The answer is accepted; no stars: without rating again."""

    stars: Literal["", "1", "2", "3", "4", "5"] = ""
    comment: Said = ""


class Reason(Struct, frozen=True):
    """Why the answer is not accepted."""

    reason: Said


class Elsewhere(Struct, frozen=True):
    """To an account elsewhere; with `link` to connect it, not to sign in."""

    next: Next = ""
    link: Literal["", "1"] = ""


class Decided(Struct, frozen=True):
    """Whether two accounts are to be connected."""

    answer: Literal["yes", "no"]
    next: Next = ""


class Onward(Struct, frozen=True):
    """Where to go on afterwards."""

    next: Next = ""


class BeforeCamera(Struct, frozen=True):
    """What the sandbox's authority sees."""

    token: Annotated[str, Meta(max_length=64)]
    choice: Literal["passed", "failed", "another", "away"]


class Persona(Struct, frozen=True):
    """Whom to sign in as, in the sandbox."""

    persona: Annotated[str, Meta(max_length=40)]


def unquoted(said: str) -> str:
    """A path as a cookie carries it; whatever comes out is looked at by `rules.local`."""
    return unquote(said, errors="strict") if said.isascii() and "%" in said else said


async def read(request: Web, kind: type[F]) -> F:
    """The form of a request. Raises BadRequest."""
    pairs = await web.fields(request)
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        said = [value for name, value in pairs if name == field.name]
        if said:
            found[field.name] = said if _is_list(field.type) else said[-1]
    return valid(found, kind, strict=False)


def valid(said: dict[str, Any], kind: type[F], *, strict: bool = True) -> F:
    """Plain data as a Struct, its limits checked. Raises BadRequest, which names the field."""
    try:
        return msgspec.convert(said, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise BadRequest(field=str(error).rpartition("$.")[2].rstrip("`")) from error


def _is_list(kind: Any) -> bool:
    info = msgspec.inspect.type_info(kind)
    if isinstance(info, msgspec.inspect.Metadata):
        info = info.type
    return isinstance(info, msgspec.inspect.ListType)


def text(said: str) -> str:
    """What somebody wrote: line breaks as one character, no NUL, nothing around it."""
    return said.replace("\r\n", "\n").replace("\x00", "").strip()
