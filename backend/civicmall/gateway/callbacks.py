"""What shops at addresses of their own send unasked: signed, fresh, and taken once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from litestar import Request
from msgspec import Meta, Struct

from civicmall import identity
from civicmall.kernel.db import Db
from civicmall.kernel.errors import BadRequest, NotFound
from civicmall.kernel.house import House
from civicmall.shops import Registry
from shopkit import CaseNews, Media
from shopkit.contract import Attested
from shopkit.keys import public_key
from shopkit.manifest import Http
from shopkit.signatures import CALLBACK_TAG, BadSignature, Verifier
from shopkit.signatures import Request as Signed

from .attesting import named
from .calling import Calls
from .errors import CallbackRefused
from .queries import q

S = TypeVar("S", bound=Struct)
NEWS_MAX: Final = 64 * 1024
"""Bytes of a callback; an outcome with fifty reasons has fewer."""

TOKEN_MAX: Final = 4_096
"""Characters of a mini-app's token; ours have about 800."""


class TokenAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """A token that a shop was shown, and asks about."""

    token: Annotated[str, Meta(min_length=1, max_length=TOKEN_MAX)]


TellCase = Callable[[str, UUID, CaseNews], Awaitable[None]]
"""Shop, case, news."""


async def nobody_listens(shop: str, case_id: UUID, news: CaseNews) -> None:
    """Where no room keeps cases, there is none to have news of."""
    del shop, case_id, news
    raise NotFound


class Nonces:
    """Remembers for all processes which nonces came."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def seen(self, keyid: str, nonce: str, until: int) -> bool:
        """Whether it came before; from now on it has."""
        bucket = hashlib.sha256(nonce.encode()).digest()[0]
        first = await q.take_nonce(self._db, bucket=bucket, keyid=keyid, nonce=nonce, until=until)
        return not first


class Callbacks:
    """Checks who calls back, and hands on what they say."""

    def __init__(self, house: House, registry: Registry, calls: Calls) -> None:
        self._house = house
        self._registry = registry
        self._calls = calls
        self.tell_case: TellCase = nobody_listens

    async def news(self, request: Request[Any, Any, Any], shop: str, case: str) -> None:
        """News of a case. Raises CallbackRefused, BadRequest, and what the cases room raises."""
        said = await self._said(request, shop, CaseNews)
        await self.tell_case(shop, _id(case), said)

    async def token(self, request: Request[Any, Any, Any], shop: str) -> str:
        """A token that a shop asks about. Raises CallbackRefused, BadRequest."""
        return (await self._said(request, shop, TokenAsk)).token

    async def attested(self, request: Request[Any, Any, Any], shop: str) -> None:
        """What a shop attests of a citizen. Raises CallbackRefused, BadRequest, NotFound for whom it
        never met, and BadAttestation.
        """
        said = await self._said(request, shop, Attested)
        citizen_id = await self._calls.subs.behind(shop, said.subject)
        way = self._calls.way_to(shop, citizen_id)
        await identity.attributes.service.attest(
            self._house, citizen_id, shop, said.data, named(way)
        )

    async def material(
        self, request: Request[Any, Any, Any], shop: str, case: str, material: str
    ) -> tuple[Media, bytes]:
        """What was handed in with a case of this shop. Raises CallbackRefused, NotFound."""
        await self._verify(request, shop, None)
        return await self._calls.give_material(shop, _id(case), _id(material))

    async def _said(self, request: Request[Any, Any, Any], shop: str, kind: type[S]) -> S:
        """What a shop sent and signed."""
        body = await request.body()
        await self._verify(request, shop, body)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(str(error)[:200], field="body") from error

    async def _verify(self, request: Request[Any, Any, Any], shop: str, body: bytes | None) -> None:
        """That the shop signed this. Its live version's key counts, and its canary's."""
        keys = self._keys(shop)
        if not keys:
            raise CallbackRefused("this shop has registered no key", check="signature-key")
        scope: Any = request.scope
        signed = Signed(
            method=request.method,
            path=(scope.get("raw_path") or scope["path"].encode()).decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=scope["headers"],
            body=body,
        )
        now = int(self._house.clock.now().timestamp())
        refused: BadSignature | None = None
        for key in keys:
            verifier = Verifier({shop: key}.get, CALLBACK_TAG, seen=Nonces(self._house.db))
            try:
                await verifier.verify(signed, now=now)
            except BadSignature as error:
                refused = error
                if error.check == "signature-wrong":
                    continue
                break
            else:
                return
        assert refused is not None
        raise CallbackRefused(refused.seen, check=refused.check) from refused

    def _keys(self, shop: str) -> list[Ed25519PublicKey]:
        texts = {
            one.manifest.runtime.key
            for one in self._registry.deployed_of(shop)
            if isinstance(one.manifest.runtime, Http)
        }
        return [public_key(text) for text in sorted(texts)]


def _id(said: str) -> UUID:
    """A case's or material's id. Raises NotFound for what can't be one."""
    try:
        return UUID(said)
    except ValueError as error:
        raise NotFound from error
