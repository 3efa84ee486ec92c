"""The cash book on PostgreSQL: news again, many at once, and any order of paying and refunding."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.rooms.shopkit.fines import BOOK, ISSUER, NOW, OWED, Fine, Model, outcome
from tests.rooms.shopkit.schema import role_of, schema, write

from civicmall.kernel import embedded
from shopkit import ChargePaid, ChargeRefunded, NotFound, Refused, ShopDb
from shopkit.charges import TABLES, TABLES_BACK, Paid

PLUGINS = Path(__file__).parents[3] / "plugins"
CROWD = 50
"""Calls at the same moment."""
WAITING = "select exists (select from pg_locks where not granted)"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def db(
    server: embedded.Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[ShopDb]:
    """With the tables as they are given out."""
    role = role_of("fines")
    revoked = (
        f"revoke delete on charge_payment from {role};\n"
        f"revoke update, delete on charge_refund from {role};\n"
    )
    folder = tmp_path_factory.mktemp("fines")
    write(folder, "fines", f"{TABLES}\n{revoked}", TABLES_BACK)
    async with schema(server, "fines", folder, size_max=12) as found:
        yield found


@pytest.fixture
def fine(db: ShopDb) -> Fine:
    return Fine(db)


async def ended(*asked: Coroutine[Any, Any, Any]) -> tuple[list[Any], list[str]]:
    """What calls at once came to: answers, and the words of the refusals."""
    found = await asyncio.gather(*asked, return_exceptions=True)
    strange = [f for f in found if isinstance(f, BaseException) and not isinstance(f, Refused)]
    assert strange == []
    refused = [f.detail for f in found if isinstance(f, Refused)]
    return [f for f in found if not isinstance(f, BaseException)], refused


async def test_a_payment_gets_one_receipt_however_often_it_is_told(fine: Fine) -> None:
    first = await fine.pay("a")

    assert (first.amount_minor, first.issuer, first.issued_at) == (OWED, ISSUER, fine.now)
    assert re.fullmatch(r"TS20261118-[A-Z2-7]{16}", first.number)
    assert await fine.pay("a") == first
    assert await fine.pay("a", owed=None) == first  # the charge is gone from the shop's lists
    assert await fine.pay("a", owed=OWED + 1) == first  # it would come to more by now
    assert await fine.receipt() == first


@pytest.mark.parametrize("minor", [OWED - 1, OWED + 1, 0])
async def test_another_amount_is_refused_and_nothing_is_paid(fine: Fine, minor: int) -> None:
    with pytest.raises(Refused, match="not what is owed"):
        await fine.pay("a", minor)

    assert await fine.receipt() is None


async def test_what_costs_nothing_cannot_be_paid(fine: Fine) -> None:
    with pytest.raises(Refused, match="not what is owed"):
        await fine.pay("a", 0, owed=0)


async def test_a_charge_that_does_not_exist_is_not_found(fine: Fine) -> None:
    with pytest.raises(NotFound, match="no such charge"):
        await fine.pay("a", owed=None)


async def test_a_known_payment_of_another_amount_or_charge_is_refused(fine: Fine) -> None:
    first = await fine.pay("a")
    other = Fine(fine.db)
    elsewhere = Fine(fine.db, "copies")
    elsewhere.id = fine.id

    for told in (
        fine.pay("a", OWED + 1, owed=OWED + 1),
        BOOK.book(other.call(), ChargePaid(first.payment_id, other.id, OWED, NOW), OWED),
        elsewhere.pay("a"),
    ):
        with pytest.raises(Refused, match="another charge or amount"):
            await told
    assert await other.receipt() is None
    assert await elsewhere.receipt() is None


async def test_a_refusal_is_said_in_the_citizens_language(fine: Fine) -> None:
    with pytest.raises(Refused, match="金额与应缴金额不符"):
        await BOOK.book(fine.call("zh-CN"), ChargePaid("p", fine.id, 1, NOW), OWED)


async def test_apps_of_one_shop_may_use_the_same_ids(fine: Fine) -> None:
    elsewhere = Fine(fine.db, "copies")
    elsewhere.id = fine.id
    await fine.pay("a")

    assert await elsewhere.receipt() is None
    with pytest.raises(NotFound, match="no such payment"):
        await elsewhere.give_back("r", "a", OWED)
    assert (await elsewhere.pay("b")).payment_id != (await fine.pay("a")).payment_id


async def test_the_same_news_fifty_times_at_once_is_booked_once(fine: Fine) -> None:
    answers, refused = await ended(*(fine.pay("a") for _ in range(CROWD)))

    assert refused == []
    assert set(map(str, answers)) == {str(await fine.receipt())}


async def test_of_fifty_payments_at_once_one_is_booked(fine: Fine) -> None:
    answers, refused = await ended(*(fine.pay(f"a{n}") for n in range(CROWD)))

    assert answers == [await fine.receipt()]
    assert refused == ["This has been paid already."] * (CROWD - 1)


async def test_a_part_that_goes_back_leaves_it_paid_and_the_whole_leaves_it_owed(fine: Fine) -> None:  # fmt: skip
    first = await fine.pay("a")

    part = await fine.give_back("r1", "a", 200)
    assert (part.amount_minor, part.noted_at) == (200, fine.now)
    assert await fine.give_back("r1", "a", 200) == part
    assert await fine.receipt() == first
    with pytest.raises(Refused, match="paid already"):
        await fine.pay("b")
    with pytest.raises(Refused, match="No more can go back"):
        await fine.give_back("r2", "a", 401)

    await fine.give_back("r3", "a", 400)
    assert await fine.receipt() is None
    assert await fine.pay("a") == first  # news that comes late books nothing
    assert await fine.receipt() is None
    second = await fine.pay("b")
    assert await fine.receipt() == second
    assert second.number != first.number
    assert await fine.give_back("r1", "a", 200) == part


async def test_a_refund_that_fits_no_payment(fine: Fine) -> None:
    with pytest.raises(NotFound, match="no such payment"):
        await fine.give_back("r", "a", 1)
    await fine.pay("a")
    other = Fine(fine.db)
    told = ChargeRefunded(f"{fine.id}:r", f"{fine.id}:a", other.id, 1, NOW)
    with pytest.raises(NotFound, match="no such payment"):
        await BOOK.refund(other.call(), told)
    with pytest.raises(Refused):
        await fine.give_back("r", "a", 0)
    await fine.give_back("r", "a", 1)
    with pytest.raises(Refused, match="another payment or amount"):
        await fine.give_back("r", "a", 2)


async def test_the_same_refund_fifty_times_at_once_is_noted_once(fine: Fine) -> None:
    await fine.pay("a")

    answers, refused = await ended(*(fine.give_back("r", "a", 250) for _ in range(CROWD)))

    assert refused == []
    assert set(map(str, answers)) == {str(await fine.give_back("r", "a", 250))}
    await fine.give_back("rest", "a", OWED - 250)


async def test_of_fifty_refunds_at_once_no_more_goes_back_than_was_paid(fine: Fine) -> None:
    await fine.pay("a")

    answers, refused = await ended(*(fine.give_back(f"r{n}", "a", 100) for n in range(CROWD)))

    assert (len(answers), len(refused)) == (6, CROWD - 6)
    assert await fine.receipt() is None


async def test_payments_and_refunds_at_once_leave_one_payment_in_force_or_none(fine: Fine) -> None:
    async def there_and_back(n: int) -> None:
        await fine.pay(f"a{n}")
        await fine.give_back(f"r{n}", f"a{n}", OWED)

    await ended(*(there_and_back(n) for n in range(CROWD)))

    kept = await fine.db.fetchrow(
        "select count(*), sum(refunded_minor), (select sum(r.amount_minor) from charge_refund r"
        " join charge_payment p using (payment_id) where p.charge = $1)"
        " from charge_payment where charge = $1", fine.id,
    )  # fmt: skip
    assert kept[0] >= 1
    assert kept[1] == kept[2] == kept[0] * OWED
    assert await fine.receipt() is None


async def meanwhile(db: ShopDb, first: Fine, told: Any, second: Any, *, commits: bool) -> Any:
    """What `second` comes to that waits in the database for `told`, which isn't decided yet."""
    pool: Any = db
    async with pool.acquire() as connection:
        change = connection.transaction()
        await change.start()
        first.db = connection
        await told()
        first.db = db
        waiting = asyncio.create_task(outcome(second()))
        while not await pool.fetchval(WAITING):
            assert not waiting.done(), waiting.result()
        await (change.commit() if commits else change.rollback())
        return (await waiting)[0]


@pytest.mark.parametrize(("commits", "wanted"), [(True, "refused"), (False, "booked")])
async def test_a_refund_waits_for_the_one_before(fine: Fine, wanted: str, *, commits: bool) -> None:
    await fine.pay("a")
    said = await meanwhile(
        fine.db, fine, lambda: fine.give_back("r", "a", 400),
        lambda: fine.give_back("s", "a", 400), commits=commits,
    )  # fmt: skip
    assert said == wanted


@pytest.mark.parametrize(("commits", "wanted"), [(True, "booked"), (False, "refused")])
async def test_a_payment_waits_for_the_refund_before(
    fine: Fine, wanted: str, *, commits: bool
) -> None:
    await fine.pay("a")
    said = await meanwhile(
        fine.db, fine, lambda: fine.give_back("r", "a", OWED), lambda: fine.pay("b"), commits=commits
    )  # fmt: skip
    assert said == wanted


PAYMENTS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.one_of(
        st.tuples(PAYMENTS, st.sampled_from([OWED, OWED, OWED, OWED - 1])),
        st.tuples(
            st.sampled_from(["r", "s", "t", "u"]), PAYMENTS, st.sampled_from([0, 200, 400, OWED, OWED + 1])
        ),
    ),
    max_size=14,
)  # fmt: skip


@given(steps=STEPS)
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_order_of_paying_and_refunding_is_the_models(
    db: ShopDb, steps: list[tuple[str, int] | tuple[str, str, int]]
) -> None:
    fine, model = Fine(db), Model()
    told: dict[str, Any] = {}
    for step in steps:
        if len(step) == 2:
            wanted, (said, answer) = model.pay(*step), await outcome(fine.pay(*step))
        else:
            wanted, (said, answer) = model.give_back(*step), await outcome(fine.give_back(*step))
        assert said == wanted
        if answer is not None:
            assert told.setdefault(step[0], answer) == answer
        receipt = await fine.receipt()
        assert (receipt and receipt.payment_id) == (
            None if model.in_force is None else f"{fine.id}:{model.in_force}"
        )


async def test_what_was_planted_is_paid_and_what_was_refunded_is_not_paid_again(db: ShopDb) -> None:
    fine, other = Fine(db), Fine(db)
    planted = [Paid(one.id, OWED, NOW - timedelta(days=9)) for one in (fine, other)]
    await BOOK.plant(db, b"s" * 32, "fines", [])
    await BOOK.plant(db, b"s" * 32, "fines", planted)
    receipt = await fine.receipt()
    assert receipt is not None
    assert (receipt.amount_minor, receipt.issued_at) == (OWED, planted[0].paid_at)
    assert receipt.number != getattr(await other.receipt(), "number", None)

    back = ChargeRefunded(f"{fine.id}:r", receipt.payment_id, fine.id, OWED, NOW)
    await BOOK.refund(fine.call(), back)
    await BOOK.plant(db, b"s" * 32, "fines", planted)
    assert await fine.receipt() is None


@pytest.mark.parametrize(
    "statement",
    ["delete from charge_payment", "delete from charge_refund", "update charge_refund set amount_minor = 1"],
    ids=["payment gone", "refund gone", "refund changed"],
)  # fmt: skip
async def test_history_is_only_added_to(db: ShopDb, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await db.execute(statement)


def test_every_shop_that_keeps_charges_has_the_tables_as_given_out() -> None:
    with_them = [
        text
        for path in sorted(PLUGINS.glob("*/migrations/*.sql"))
        if re.search(r"create table charge_payment\b", text := path.read_text(encoding="utf-8"))
    ]
    assert with_them
    for text in with_them:
        assert TABLES.strip() in text
        assert TABLES_BACK in text
        assert "revoke delete on charge_payment" in text
        assert "revoke update, delete on charge_refund" in text
