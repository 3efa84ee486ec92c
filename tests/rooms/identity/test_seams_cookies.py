"""The cookies of a browser's session where there is TLS: nobody but this very host sets them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from litestar import Request
from tests.rooms.identity.steps import new_phone

from civicmall import identity
from civicmall.identity import Caller, Tokens
from civicmall.kernel.house import House


def asking(**cookies: str) -> Request[Any, Any, Any]:
    """A request that brings these."""
    said = "; ".join(f"{name}={value}" for name, value in cookies.items()).encode()
    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", said)]}
    return Request(scope)


@pytest.fixture
def safe(house: House) -> House:
    """The same house behind TLS."""
    settings = msgspec.structs.replace(house.settings, public_url="https://city.example")
    return msgspec.structs.replace(house, settings=settings)


async def test_a_neighbour_in_the_domain_signs_nobody_in(safe: House) -> None:
    """Whoever has another host of the city's domain can set cookies for all of it: then somebody would
    prove their name in the account of a stranger. Browsers take `__Host-` from the host alone.
    """
    tokens = Tokens(safe.keys, safe.settings.public_url, safe.clock)
    me = await identity.account(safe, new_phone())
    session = await identity.devices.open_session(safe.db, me, "citizen", "")
    pair = tokens.issue(Caller(me, session, 1), 0)
    kept = identity.cookies(safe, "citizen", pair)
    assert [one.key for one in kept] == ["__Host-cm_access", "__Host-cm_refresh"]
    assert all(one.secure and one.path == "/" and one.domain is None for one in kept)
    gone = {one.key for one in identity.cookies(safe, "citizen", None)}
    assert {one.key for one in kept} < gone
    assert all(name.startswith("__Host-") for name in gone)
    for name, value in ((one.key, one.value) for one in kept):
        seen = await identity.visit(asking(**{name: value or ""}), safe, tokens, "citizen")
        assert isinstance(seen.who, Caller), name
    tossed = asking(cm_access=pair.access_token, cm_refresh=pair.refresh_token)
    assert (await identity.visit(tossed, safe, tokens, "citizen")).who is None
    assert all(one.key.startswith("__Secure-") for one in identity.cookies(safe, "staff", pair)), (
        "theirs lie under a path"
    )
