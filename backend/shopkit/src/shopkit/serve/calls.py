"""One call of the shop's code: its deadline, and what each way to fail is on the wire."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from .. import egress  # noqa: TID252 (the package is one thing)
from ..answers import ASKS, OUTCOMES, WrongAnswer, checked  # noqa: TID252 (the same)
from ..call import Attest, Call, Citizen, FetchMaterial, ShopDb  # noqa: TID252 (the same)
from ..contract import Outcome  # noqa: TID252 (the same)
from ..errors import BadForm, NotFound, Refused, ShopError, Unavailable  # noqa: TID252 (the same)
from ..local import local  # noqa: TID252 (the package is one thing)
from ..running import theirs  # noqa: TID252 (the same)
from ..shop import Shop  # noqa: TID252 (the same)
from .http import Answer, Fault, Scope, header

log = logging.getLogger("shopkit.serve")
STATUSES: Final = {state: status for status, state in OUTCOMES.items()}
DEADLINE: Final = b"civicmall-deadline-ms"
TRACE_PARTS: Final = 4
"""W3C Trace Context: version, trace, span, flags."""


class Caller:
    """Calls one shop."""

    def __init__(
        self, shop: Shop, secret: bytes, materials: FetchMaterial, attests: Attest
    ) -> None:
        self._shop = shop
        self._secret = secret
        self.materials = materials
        self.attests = attests
        self._http = egress.client(shop.manifest.egress)

    async def close(self) -> None:
        """Close the connections to the department's own systems."""
        await self._http.aclose()

    def call(self, scope: Scope, citizen: Citizen, created: int, db: ShopDb, app: str) -> Call:
        """What the shop's code sees. `created` is the platform's time in Unix seconds."""
        now = datetime.fromtimestamp(created, UTC)
        return Call(
            citizen, language(header(scope, b"accept-language")), now, local(now),
            trace(header(scope, b"traceparent")), self.deadline_s(header(scope, DEADLINE)), db,
            self._secret, app, self.materials, self._http, self.attests,
        )  # fmt: skip

    def deadline_s(self, said: bytes) -> float:
        """Seconds that a call may take: what is asked, and never more than the manifest allows."""
        most = self._shop.manifest.limits.timeout_ms
        return (
            min(int(said), most) / 1000
            if said.isdigit() and len(said) < len("1000000")
            else most / 1000
        )

    async def ask(self, operation: str, call: Call, asked: Any) -> Any:
        """What the shop answers, as it is. Raises Fault."""
        until = asyncio.get_running_loop().time() + call.deadline_s
        try:
            async with asyncio.timeout_at(until):
                answer = await theirs(self._shop.answer, operation, call, asked)
        except TimeoutError as error:
            raise Fault(504, "deadline", f"no answer within {call.deadline_s:g} s") from error
        except ShopError as error:
            raise fault(error) from error
        except Exception as error:
            log.exception("%s %s failed (trace %s)", call.app, operation, call.trace_id)
            raise Fault(500, "failed") from error
        if asyncio.get_running_loop().time() > until:  # it blocked the loop, the timer too
            raise Fault(504, "deadline", f"no answer within {call.deadline_s:g} s")
        return answer

    def encoded(self, operation: str, asked: Any, answer: Any) -> Answer:
        """The answer as JSON. One against the contract is told to the shop's own log and sent all
        the same: the platform looks at it too, and names the check to the operator.
        """
        try:
            answer = checked(operation, asked, answer)
        except WrongAnswer as error:
            log.error("%s: an answer against the contract: %s", operation, error)  # noqa: TRY400 (no trace: it says where)
        try:
            body = msgspec.json.encode(answer)
        except (
            msgspec.MsgspecError,
            TypeError,
            ValueError,
            OverflowError,
            RecursionError,
        ) as error:
            log.exception("%s: an answer that is no JSON", operation)
            raise Fault(500, "failed") from error
        status = 200
        if operation.startswith("apply.") and isinstance(answer, Outcome):
            status = STATUSES.get(answer.state, 500)
        return Answer(status, body)


def question(operation: str, body: bytes) -> Any:
    """What is asked. Raises Fault 400."""
    try:
        return msgspec.json.decode(body, type=ASKS[operation])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Fault(400, "bad-request", f"no {operation}: {error}"[:300]) from error


def fault(error: ShopError) -> Fault:
    """A shop's refusal on the wire."""
    match error:
        case NotFound():
            return Fault(404, "not-found", error.detail)
        case Refused():
            return Fault(409, "refused", error.detail)
        case BadForm():
            reasons = msgspec.to_builtins(error.reasons)
            return Fault(422, "bad-form", error.detail, errors=reasons)
        case Unavailable():
            wait_s = error.retry_after_s
            after = () if wait_s is None else ((b"retry-after", b"%d" % wait_s),)
            return Fault(503, "unavailable", error.detail, headers=after)
        case _:
            return Fault(409, "refused", error.detail)


def language(said: bytes) -> str:
    """`en` or `zh-CN`, whichever `accept-language` names first."""
    for tag in said.decode("latin-1").lower().split(","):
        name = tag.partition(";")[0].strip().partition("-")[0]
        if name in {"zh", "en"}:
            return "en" if name == "en" else "zh-CN"
    return "zh-CN"


def trace(said: bytes) -> str:
    """The trace's id out of a `traceparent`; empty where there is none."""
    parts = said.decode("latin-1").split("-")
    return parts[1] if len(parts) == TRACE_PARTS and len(parts[1]) == len("0" * 32) else ""
