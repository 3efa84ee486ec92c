"""What was agreed to: by claim and purpose, kept when it is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from civicmall import identity
from civicmall.identity import NotAllowed, PurposeChanged, agreements, audit
from civicmall.kernel import ids, outbox
from civicmall.kernel.config import Settings
from civicmall.kernel.house import House

FIND: Final = {"zh-CN": "用于查找您的账户", "en": "to find your account"}
SEND: Final = {"zh-CN": "用于寄送账单", "en": "to send bills"}


@pytest_asyncio.fixture
async def citizen(house: House) -> UUID:
    """Somebody with an account."""
    return await identity.account(house, f"177{ids.new(0).int % 10**8:08d}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def owner(settings: Settings) -> AsyncGenerator[Any]:
    """A connection as the tables' owner."""
    connection: Any = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


async def kinds(house: House, citizen: UUID) -> list[tuple[str, str, list[str]]]:
    """The citizen's lines, oldest first."""
    return [
        (line.kind, line.reader, line.claims)
        for line in reversed(await audit.lines(house.db, citizen, None, 50))
    ]


async def test_a_claim_is_agreed_to_for_a_purpose(house: House, citizen: UUID) -> None:
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND, "name": FIND})
    await agreements.agree(house, citizen, "client:bank", {"name": SEND})
    held = {("phone", FIND["zh-CN"]), ("name", FIND["zh-CN"])}
    assert await agreements.agreed(house.db, citizen, "shop/app") == held
    assert await agreements.agreed(house.db, citizen, "client:bank") == {("name", SEND["zh-CN"])}
    assert await agreements.agreed(house.db, ids.new(1), "shop/app") == frozenset()
    client, app = await agreements.consents(house.db, citizen)
    assert (client.client, client.shop, client.app, client.claims) == ("bank", None, None, ["name"])
    assert (app.client, app.shop, app.app, app.claims) == (None, "shop", "app", ["name", "phone"])
    assert [dict(one.purpose) for one in app.given] == [FIND, FIND]
    assert await kinds(house, citizen) == [
        ("consent_given", "shop/app", ["name", "phone"]),
        ("consent_given", "client:bank", ["name"]),
    ]


async def test_the_same_once_more_changes_nothing(house: House, citizen: UUID) -> None:
    await asyncio.gather(
        *(agreements.agree(house, citizen, "shop/app", {"phone": FIND}) for _ in range(10))
    )
    (only,) = await agreements.consents(house.db, citizen)
    assert len(only.given) == 1
    assert len(await kinds(house, citizen)) == 1


async def test_another_purpose_is_another_consent(house: House, citizen: UUID) -> None:
    """PIPL article 14: a changed purpose is agreed to anew; the old one still stands."""
    phone = [("phone", SEND["zh-CN"])]
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND})
    given = await identity.give(house, citizen, "shop", "app", phone, purpose="look")
    assert (given.agreed, given.claims) == (frozenset(), {})
    await agreements.agree(house, citizen, "shop/app", {"phone": SEND})
    given = await identity.give(house, citizen, "shop", "app", phone, purpose="look")
    assert given.agreed == {*phone}
    assert given.claims.keys() == {"phone"}
    both = [("phone", FIND["zh-CN"]), *phone]
    given = await identity.give(house, citizen, "shop", "app", both, purpose="look")
    assert given.agreed == {*both}


async def test_what_is_taken_back_is_kept(house: House, citizen: UUID) -> None:
    by = ids.new(9)
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND, "name": SEND}, by=by)
    assert await agreements.take_back(house, citizen, "shop/app", ["phone"], by=by) == []
    assert await agreements.agreed(house.db, citizen, "shop/app") == {("name", SEND["zh-CN"])}
    assert await agreements.take_back(house, citizen, "shop/app") == []
    assert await agreements.take_back(house, citizen, "shop/app") == []
    assert await agreements.consents(house.db, citizen) == []
    name, phone = await agreements.past(house.db, citizen, None, 10)
    assert (name.claim, dict(name.purpose), name.given_by, name.taken_back_by) == (
        "name", SEND, by, None,
    )  # fmt: skip
    assert (phone.claim, phone.taken_back_by) == ("phone", by)
    assert phone.taken_back_at < name.taken_back_at
    key = (name.taken_back_at, name.grantee, name.claim)
    assert await agreements.past(house.db, citizen, key, 10) == [phone]
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND})
    assert await agreements.agreed(house.db, citizen, "shop/app") == {("phone", FIND["zh-CN"])}
    assert [kind for kind, _, _ in await kinds(house, citizen)] == [
        "consent_given", "consent_taken_back", "consent_taken_back", "consent_given",
    ]  # fmt: skip


async def test_a_shop_is_told_what_it_is_to_forget(house: House, citizen: UUID, owner: Any) -> None:
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND, "name": SEND})
    await agreements.agree(house, citizen, "client:bank", {"phone": FIND})
    await agreements.take_back(house, citizen, "shop/app")
    await agreements.take_back(house, citizen, "client:bank")
    told = await owner.fetch(
        "select body from kernel.outbox where type = 'identity.consent_withdrawn'"
        " and body->>'citizen_id' = $1", str(citizen),
    )  # fmt: skip
    assert len(told) == 1
    assert '"claims": ["name", "phone"]' in told[0][0]
    assert (
        outbox.row(identity.ConsentWithdrawn(citizen, "a", "b", house.clock.now()))[1]["claims"]
        == []
    )


async def test_a_clients_grants_end_with_its_consent(
    house: House, citizen: UUID, owner: Any
) -> None:
    bucket = ids.bucket_of(citizen)
    grants = [ids.new(bucket) for _ in range(3)]
    for grant, client in zip(grants, ("bank", "bank", "other"), strict=True):
        await owner.execute(
            "insert into identity.grant_ (bucket, id, citizen_id, session_id, client_id, scope, claims,"
            " offline, acr, amr, auth_time, expires_at) values ($1, $2, $3, $2, $4, '{openid}', '{}',"
            " true, 1, '{}', now(), now() + interval '1 day')", bucket, grant, citizen, client,
        )  # fmt: skip
    await agreements.agree(house, citizen, "client:bank", {"phone": FIND})
    ended = await agreements.take_back(house, citizen, "client:bank")
    assert {*ended} == {*grants[:2]}
    left = await owner.fetch(
        "select client_id from identity.grant_ where citizen_id = $1 and revoked_at is null",
        citizen,
    )
    assert [row[0] for row in left] == ["other"]


async def test_giving_to_an_app_is_for_what_it_asks(house: House, citizen: UUID) -> None:
    asked = {"phone": FIND, "name": SEND}
    with pytest.raises(NotAllowed):
        await agreements.give_consent(house, citizen, "shop", "app", ["sex"], asked)
    with pytest.raises(PurposeChanged) as refused:
        await agreements.give_consent(
            house, citizen, "shop", "app", ["phone", "name"], asked,
            seen={"phone": "以前的用途", "name": SEND["zh-CN"]},
        )  # fmt: skip
    assert refused.value.extra["claims"] == {"phone": FIND}
    assert await agreements.consents(house.db, citizen) == []
    await agreements.give_consent(house, citizen, "shop", "app", ["phone"], asked)
    found = await agreements.give_consent(
        house, citizen, "shop", "app", ["name"], asked, seen={"name": SEND["zh-CN"]}, keep=True
    )
    assert found.claims == ["name", "phone"]
    found = await agreements.give_consent(house, citizen, "shop", "app", ["name"], asked)
    assert found.claims == ["name"], "what isn't named is taken back"
    assert found.last_used_at is None
    pairs = [("name", SEND["zh-CN"])]
    await identity.give(house, citizen, "shop", "app", pairs, purpose="look")
    (found,) = await agreements.consents(house.db, citizen)
    assert found.last_used_at is None, "nothing was told: no name is known"


async def test_use_is_remembered(house: House, citizen: UUID) -> None:
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND})
    await identity.give(house, citizen, "shop", "app", [("phone", FIND["zh-CN"])], purpose="look")
    (found,) = await agreements.consents(house.db, citizen)
    assert found.last_used_at is not None


async def test_who_acts_stands_in_the_line(house: House, citizen: UUID) -> None:
    agent, pairs = ids.new(8), [("phone", FIND["zh-CN"])]
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND})
    for by in (None, None, agent, agent, None):
        await identity.give(house, citizen, "shop", "app", pairs, purpose="look", by=by)
    rows = await audit.accesses(house.db, citizen, None, 10)
    assert [(row.by, row.times) for row in rows] == [(None, 1), (agent, 2), (None, 2)]
    report = await audit.verify(house)
    assert [one for one in report.findings if one.citizen == citizen] == []


async def test_giving_begins_a_chain_where_there_is_none(
    house: House, citizen: UUID, owner: Any
) -> None:
    await agreements.agree(house, citizen, "shop/app", {"phone": FIND})
    for table in ("audit", "audit_head"):
        await owner.execute(f"delete from identity.{table} where citizen_id = $1", citizen)  # noqa: S608
    given = await identity.give(
        house, citizen, "shop", "app", [("phone", FIND["zh-CN"])], purpose="look"
    )
    assert given.claims.keys() == {"phone"}
    assert await kinds(house, citizen) == [("read", "shop/app", ["phone"])]


async def test_consents_of_the_time_before_get_the_purpose_of_today(
    house: House, citizen: UUID, owner: Any
) -> None:
    for app in ("app", "left"):
        await owner.execute(
            "insert into identity.consent (bucket, citizen_id, grantee, claim, purpose, texts)"
            " values ($1, $2, $3, 'phone', '', '{}')", ids.bucket_of(citizen), citizen, f"shop/{app}",
        )  # fmt: skip
    for _ in range(2):
        await agreements.fill_purposes(house.db, [("shop/app", {"phone": FIND, "sex": SEND})])
    assert await agreements.agreed(house.db, citizen, "shop/app") == {("phone", FIND["zh-CN"])}
    assert await agreements.agreed(house.db, citizen, "shop/left") == {("phone", "")}
