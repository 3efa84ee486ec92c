"""What comes up once in a while: odd providers, rows half-way, tickets that are over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, RSAKey
from tests.rooms.identity.federation.hostile import Hostile, Way, env, hostile_upstream
from tests.rooms.identity.steps import new_phone

from civicmall import identity
from civicmall.identity import Caller, federation
from civicmall.identity.federation import rules
from civicmall.kernel.clock import FixedClock
from civicmall.kernel.config import BadSetting
from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House
from shopkit.sandbox import people

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def wicked() -> AsyncGenerator[Hostile]:
    async with hostile_upstream() as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as found:
        yield found


@pytest.fixture
def way(house: House, client: httpx.AsyncClient, wicked: Hostile) -> Way:
    wicked.right()
    wicked.info = {"phone_number": "+86" + new_phone(), "phone_number_verified": True}
    wicked.sub = f"sub-{new_phone()}"
    return Way(house, client, wicked)


async def caller(house: House, phone: str = "") -> Caller:
    """Somebody who has just signed in by a code."""
    citizen = await identity.account(house, phone or new_phone())
    session = await identity.devices.open_session(house.db, citizen, "citizen", "")
    return Caller(citizen, session, 1)


async def ticket(way: Way) -> str:
    with pytest.raises(federation.LinkNeeded) as caught:
        await way.both()
    found: str = caught.value.extra["link_ticket"]
    return found


async def test_a_provider_without_userinfo_says_it_in_the_id_token(way: Way) -> None:
    way.wicked.discovery = {"userinfo_endpoint": None}
    way.wicked.claims = dict(way.wicked.info)
    assert (await way.both()).trouble == ""
    way.wicked.claims, way.wicked.sub = {}, "another"
    await ticket(way)


async def test_all_in_the_id_token_and_userinfo_is_not_asked(way: Way) -> None:
    way.wicked.claims = {**way.wicked.info, "name": "", "id_number": 7}
    assert (await way.both()).trouble == ""
    assert "/userinfo" not in way.wicked.asked


async def test_an_access_token_that_is_no_header_goes_nowhere(way: Way) -> None:
    way.wicked.token = {"access_token": "a\r\nx: y"}
    way.wicked.claims = {"at_hash": None}
    with pytest.raises(federation.UpstreamWrong) as caught:
        await way.both()
    assert caught.value.extra["check"] == "token-answer"


async def test_no_code_is_no_sign_in(way: Way) -> None:
    with pytest.raises(federation.UpstreamWrong) as caught:
        await way.back(await way.out(), code="")
    assert caught.value.extra["check"] == "code"


async def test_without_an_app_there_is_no_way_for_one(way: Way, client: httpx.AsyncClient) -> None:
    said = env(way.wicked, CIVICMALL_FEDERATION_APP_REDIRECT="")
    upstream = federation.open_federation(way.house, client, said).there()
    with pytest.raises(NotFound):
        await federation.start(way.house, upstream, "app", "en")


async def test_a_flow_and_a_ticket_of_the_upstream_before(
    way: Way, client: httpx.AsyncClient
) -> None:
    flow = await way.out()
    old = msgspec.structs.replace(flow, issuer="https://before.example")
    with pytest.raises(federation.FlowBroken):
        await way.back(old)
    del way.wicked.info["phone_number"]
    sealed = await ticket(way)
    said = env(way.wicked, CIVICMALL_FEDERATION_ISSUER="https://after.example")
    after = federation.open_federation(way.house, client, said).there()
    with pytest.raises(federation.FlowBroken) as caught:
        await federation.agree(way.house, after, await caller(way.house), sealed)
    assert caught.value.extra == {"reason": "issuer"}


async def test_a_ticket_has_its_time(way: Way) -> None:
    del way.wicked.info["phone_number"]
    sealed = await ticket(way)
    clock = FixedClock(way.house.clock.now())
    later = msgspec.structs.replace(way.house, clock=clock)
    assert federation.read_ticket(later, sealed).person.sub == way.wicked.sub
    clock.move(timedelta(seconds=rules.TICKET_S + 1))
    for said in (sealed, "AAAA", "ü", ""):
        with pytest.raises(federation.FlowBroken):
            federation.read_ticket(later, said)


async def test_a_ticket_works_once(way: Way) -> None:
    del way.wicked.info["phone_number"]
    sealed, one = await ticket(way), await caller(way.house)
    made = await federation.agree(way.house, way.upstream, one, sealed)
    assert await federation.links(way.house.db, one.citizen_id) == [made]
    with pytest.raises(federation.FlowBroken):
        await federation.agree(way.house, way.upstream, one, sealed)


async def test_a_row_half_way_is_no_key(way: Way) -> None:
    """The way to the citizen is there, the citizen's own row isn't: nobody is signed in by it."""
    done = await way.both()
    await way.house.db.execute(
        "delete from identity.upstream_link where citizen_id = $1", done.citizen_id
    )
    info = dict(way.wicked.info)
    way.wicked.info = {}
    sealed = await ticket(way)
    other = await caller(way.house)
    await federation.agree(way.house, way.upstream, other, sealed)  # it is free again
    way.wicked.info = info
    assert (await way.both()).citizen_id == other.citizen_id, "and the row decides, not the phone"


async def test_a_number_of_once_is_no_key_to_the_account_of_somebody_who_is_known(way: Way) -> None:
    """Upstreams check a phone once and say so for years; by then it may be another's."""
    owner = await caller(way.house, way.wicked.info["phone_number"].removeprefix("+86"))
    person = next(one for one in people(way.house.clock.today()) if one.persona == "graduate")
    said = identity.Verification(person.name, person.id_number)
    await identity.verify(way.house, owner.citizen_id, said)
    sealed = await ticket(way)
    assert await federation.links(way.house.db, owner.citizen_id) == []
    await federation.agree(way.house, way.upstream, owner, sealed)  # they know it for theirs
    assert (await way.both()).citizen_id == owner.citizen_id


async def test_links_are_few(way: Way) -> None:
    one = await caller(way.house)
    del way.wicked.info["phone_number"]
    made: list[UUID] = []
    for n in range(rules.LINKS_MAX):
        way.wicked.sub = f"{one.citizen_id}-{n}"
        found = await federation.agree(way.house, way.upstream, one, await ticket(way))
        made.append(found.id)
    way.wicked.sub = f"{one.citizen_id}-more"
    with pytest.raises(federation.TooManyLinks):
        await federation.agree(way.house, way.upstream, one, await ticket(way))
    await federation.unlink(way.house, one.citizen_id, made[0])
    await federation.agree(way.house, way.upstream, one, await ticket(way))
    assert len(await federation.links(way.house.db, one.citizen_id)) == rules.LINKS_MAX


def small() -> bytes:
    """A key that is too short; joserfc itself makes none in peace."""
    key = generate_private_key(65_537, 1024)  # noqa: S505
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "good"),
    [
        (ECKey.generate_key("P-256").as_pem(private=True), True),
        (RSAKey.generate_key(2048).as_pem(private=True), True),
        (ECKey.generate_key("P-384").as_pem(private=True), False),
        (ECKey.generate_key("P-256").as_pem(private=False), False),
        (RSAKey.generate_key(2048).as_pem(private=False), False),
        (small(), False),
    ],
)
def test_keys_of_ours(way: Way, tmp_path: Any, key: bytes, good: bool) -> None:  # noqa: FBT001
    file = tmp_path / "key.pem"
    file.write_bytes(key)
    said = env(
        way.wicked,
        CIVICMALL_FEDERATION_CLIENT_SECRET="",
        CIVICMALL_FEDERATION_PRIVATE_KEY=str(file),
    )
    untyped: Any = None
    if good:
        assert federation.open_federation(way.house, untyped, said).upstream
    else:
        with pytest.raises(BadSetting):
            federation.open_federation(way.house, untyped, said)
