"""The pages of the releases: what a reviewer reads, whose step is next, and what was given up on."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest_asyncio
from structlog.testing import capture_logs
from tests.city import City, running_city
from tests.rooms.console.steps import HOSTILE, shown, signed_in, words
from tests.rooms.releases.steps import Shop, department, said
from tests.workshop import app, text

from civicmall import releases
from civicmall.identity import Staff
from civicmall.kernel import ids, outbox
from civicmall.kernel.config import Settings
from civicmall.ratings.events import RectificationMoved
from civicmall.releases import Checked, Submission
from civicmall.shops import Registry


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(settings: Settings) -> AsyncGenerator[City]:
    """A city without any shop of its own."""
    async with running_city(settings, Registry([])) as city:
        yield city


def shop_in(city: City) -> Shop:
    return Shop(city.house, city.parts.registry)


async def take(browser: httpx.AsyncClient, release: UUID, move: str, **form: str) -> httpx.Response:
    """Send a step's form as the page has it."""
    return await browser.post(f"/console/releases/{release}/{move}", data={"sure": "1", **form})


async def test_a_reviewer_reads_what_changes_and_leads_it_to_the_citizens(town: City) -> None:
    shop = shop_in(town)
    await shop.live("1.0.0")
    claims = [
        {"name": "phone", "purpose": text("to tell you")},
        {"name": "name", "purpose": {"zh-CN": "核对姓名", "en": "to compare names"}},
    ]
    changed = said(
        shop.id, "1.1.0",
        apps=[app("permits", "progress", claims=claims, min_level=2)], settlement_account="new.one",
    )  # fmt: skip
    report = [
        Checked(
            "progress-steps", "passed", "permits", asks="Steps stand in order.", seen="3 steps"
        ),
        Checked("bills-sum", "skipped", "permits"),
    ]
    made = await releases.submit(
        town.house, shop.registry, shop.author, Submission(changed, report, "新增姓名核对"), "k"
    )
    page = f"/console/releases/{made.id}"
    async with signed_in(town, "operator") as operator, signed_in(town, "reviewer") as reviewer:
        assert f"{shop.id} 1.1.0" in words(await shown(operator, "/console/releases"))
        assert "个版本待处理" in words(await shown(operator, "/console/"))
        read = words(await shown(operator, page))
        assert "与市民此前使用的 1.0.0 版对比" in read
        assert "新索取市民信息：姓名 应用： permits 用途：核对姓名 重点核查" in read
        assert "收款账户变更：settlement_account" in read
        assert (
            read.index("新索取市民信息")
            < read.index("收款账户变更")
            < read.index("提高实名等级要求")
        )
        assert "通过 1 项，未通过 0 项，跳过 1 项" in read
        assert "Steps stand in order. 3 steps" in read
        assert "许岚" in read
        assert "新增姓名核对" in read

        done = await take(operator, made.id, "approve", note="属实")
        assert (done.status_code, done.headers["location"]) == (303, f"{page}?done=approve")
        html = await shown(operator, f"{page}?done=approve")
        assert "审核通过，待发布" in words(html)
        assert "您已审核通过，须由另一位运营人员发布。" in words(html)
        assert set(re.findall(rf'action="{page}/(\w+)"', html)) == {"reject"}
        refused = await take(operator, made.id, "publish")
        assert refused.status_code == 403
        assert "此步须由另一人办理。" in words(refused.text)

        html = await shown(reviewer, page)
        assert "须由另一位运营人员发布" not in words(html)
        assert set(re.findall(rf'action="{page}/(\w+)"', html)) == {"reject", "canary", "publish"}
        assert (await take(reviewer, made.id, "canary", percent="20")).status_code == 303
        assert "试运行 20%" in words(await shown(reviewer, page))
        assert (await take(reviewer, made.id, "publish")).status_code == 303
        read = words(await shown(reviewer, page))
        for step in ("已提交", "审核通过，待发布", "试运行 20%", "已发布", "属实", "运营 沈澄"):
            assert step in read
        read = words(await shown(reviewer, f"/console/shops/{shop.id}"))
        assert "1.1.0 由部门提交" in read
        assert "1.0.0 由部门提交" in read

        assert (await take(operator, made.id, "rollback", note="金额错误")).status_code == 303
        assert (await shop.states()) == {"1.0.0": "live", "1.1.0": "withdrawn"}


async def test_a_step_needs_to_be_meant_and_some_their_reason(town: City) -> None:
    shop = shop_in(town)
    made = await shop.live()
    async with signed_in(town, "operator", "en") as operator:
        page = f"/console/releases/{made}"
        unsure = await operator.post(f"{page}/suspend", data={"note": "leak"})
        assert unsure.status_code == 400
        assert "Fill in what is asked for, and confirm." in words(unsure.text)
        assert ">leak</textarea>" in unsure.text
        assert (await take(operator, made, "suspend")).status_code == 400
        assert await shop.states() == {"1.0.0": "live"}
        assert (await take(operator, made, "suspend", note="leak")).status_code == 303
        late = await take(operator, made, "suspend", note="leak")
        assert late.status_code == 409
        assert "The release is at another step by now." in words(late.text)
        health = words(await shown(operator, "/console/shops"))
        assert re.search(rf"{shop.id} \w+ · 1\.0\.0 Suspended", health)
        back = await operator.get(f"{page}/suspend")
        assert (back.status_code, back.headers["location"]) == (303, page)


async def test_a_department_reads_its_own_and_decides_nothing(town: City) -> None:
    mine, other = shop_in(town), shop_in(town)
    own, foreign = await mine.submit(), await other.submit()
    await account(town, mine.author, mine.id)
    async with signed_in(town, mine.id) as browser:
        listed = words(await shown(browser, "/console/releases"))
        assert mine.id in listed
        assert other.id not in listed
        html = await shown(browser, f"/console/releases/{own.id}")
        assert 'action="/console/releases' not in html
        await shown(browser, f"/console/releases/{foreign.id}", status=404)
        assert (await take(browser, own.id, "approve")).status_code == 403
        assert (await take(browser, foreign.id, "approve")).status_code == 403
    assert await mine.states() == {"1.0.0": "submitted"}


async def account(city: City, staff: Staff, shop: str) -> None:
    """An account to sign in with, named as its shop."""
    from civicmall import identity

    await identity.add_staff(city.house, shop, "sandbox-only", staff.name, "manager", shop)


async def test_what_a_department_wrote_is_text(town: City) -> None:
    shop = shop_in(town)
    seen = Checked("odd", "passed", "permits", seen=HOSTILE)
    made = await releases.submit(
        town.house, shop.registry, shop.author,
        Submission(said(shop.id, summary=text(HOSTILE)), [seen], HOSTILE), "k",
    )  # fmt: skip
    async with signed_in(town, "operator", "en") as operator:
        html = await shown(operator, f"/console/releases/{made.id}")
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert words(html).count(HOSTILE) == 3


async def dead_letter(city: City, shop: str) -> None:
    """An event that was given up on. It is about a ticket that isn't there: nothing comes of it."""
    event = RectificationMoved(ids.new(4), shop, "remind")
    kind, body = outbox.row(event)
    await city.house.db.execute(
        "insert into kernel.outbox (bucket, id, type, body, dead, attempts, error)"
        " values (4, $1, $2, $3, true, 20, 'TimeoutError')",
        *(ids.new(4), kind, body),
    )


async def test_what_was_given_up_on_is_seen_and_sent_again(town: City) -> None:
    await dead_letter(town, "parking")
    await dead_letter(town, "library")
    await account(town, department("parking"), "parking")
    async with signed_in(town, "parking", "en") as browser:
        html = await shown(browser, "/console/dead-letters")
        read = words(html)
        assert "parking" in read
        assert "library" not in read
        assert 'action="/console/dead-letters' not in html
        (event,) = await outbox.dead(town.house.db, 5, shop="parking")
        refused = await browser.post(f"/console/dead-letters/{event.id}/replay")
        assert refused.status_code == 403
    async with signed_in(town, "operator", "en") as operator:
        read = words(await shown(operator, "/console/dead-letters"))
        assert "ratings.rectification_moved" in read
        assert "TimeoutError" in read
        assert "20 tries" in read
        assert "0 / 2 events waiting" in words(await shown(operator, "/console/"))
        with capture_logs() as logged:
            again = await operator.post(f"/console/dead-letters/{event.id}/replay")
        (line,) = [entry for entry in logged if entry["event"] == "outbox.replayed"]
        assert line["id"] == str(event.id)
        assert UUID(line["staff"])
        assert again.headers["location"] == "/console/dead-letters?done=again"
        assert "It is on its way again." in words(await shown(operator, again.headers["location"]))
        twice = await operator.post(f"/console/dead-letters/{event.id}/replay")
        assert twice.headers["location"] == "/console/dead-letters?done=gone"
        assert "It is not here any more." in words(await shown(operator, twice.headers["location"]))
    await town.settled()
    assert [letter.shop for letter in await outbox.dead(town.house.db, 5)] == ["library"]
