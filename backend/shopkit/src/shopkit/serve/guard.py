"""Who is let in: requests that the platform signed, each once, with a citizen it vouches for."""

from __future__ import annotations

from .. import assertion  # noqa: TID252 (the package is one thing)
from ..assertion import LEVELS, BadAssertion  # noqa: TID252 (the same)
from ..call import Citizen  # noqa: TID252 (the same)
from ..signatures import (  # noqa: TID252 (the same)
    ASSERTION,
    SHOP_TAG,
    BadSignature,
    Replays,
    Request,
    Verified,
    Verifier,
)
from .http import Fault
from .trust import NoKeys, Trust


class Guard:
    """At the door of one shop."""

    def __init__(self, shop_id: str, trust: Trust, seen: Replays) -> None:
        self._shop = shop_id
        self._trust = trust
        self._verifier = Verifier(trust.signing, SHOP_TAG, seen=seen)

    async def admit(
        self, request: Request, app: str, *, now: int, signed: bool = True
    ) -> tuple[int, Citizen]:
        """When the platform asked (Unix seconds, as `now`), and for whom. Where the manifest lets a
        raw call go unsigned, the assertion alone says so. Raises Fault 401.
        """
        try:
            created = (await self._verified(request, now)).created if signed else now
            said = await self._believed(request, now)
            _same_app(said.app, app)
        except BadSignature as error:
            raise Fault(401, "signature", error.seen, check=error.check) from error
        except BadAssertion as error:
            raise Fault(401, "assertion", error.seen, check=error.check) from error
        act = said.act.sub if said.act else None
        return created, Citizen(said.sub, LEVELS.index(said.acr) + 1, said.claims, act)

    async def _verified(self, request: Request, now: int) -> Verified:
        try:
            return await self._verifier.verify(request, now=now)
        except BadSignature as error:
            if error.check != "signature-key" or not self._trust.may_refresh():
                raise
        await self._refresh()
        return await self._verifier.verify(request, now=now)

    async def _believed(self, request: Request, now: int) -> assertion.Assertion:
        token = _token(request)
        try:
            return assertion.read(token, self._trust.get, audience=self._shop, now=now)
        except BadAssertion as error:
            if error.check != "assertion-signature" or not self._trust.may_refresh():
                raise
        await self._refresh()
        return assertion.read(token, self._trust.get, audience=self._shop, now=now)

    async def _refresh(self) -> None:
        try:
            await self._trust.refresh()
        except NoKeys as error:
            raise Fault(503, "unavailable", f"the platform's keys can't be had: {error}") from error


def _same_app(said: str, app: str) -> None:
    if said != app:
        raise BadAssertion("assertion-audience", f"it is for the app {said!a}, this is {app!a}")


def _token(request: Request) -> str | None:
    found = [
        value.decode("latin-1") for name, value in request.headers
        if name.lower() == ASSERTION.encode()
    ]  # fmt: skip
    return ", ".join(found) or None
