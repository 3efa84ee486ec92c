"""Working on a ticket in the console: what can be done, by whom, and what comes back."""

from __future__ import annotations

import asyncio
import re

import httpx
from tests.city import City
from tests.rooms.console.steps import HOSTILE, shown, signed_in, ticket, words
from tests.rooms.ratings.steps import confirmed, index_of, reopened

SHOP = "public_security"
NO_ID = "01a20fa4-0389-75e7-a514-6944de78c0d3"


def page_of(ticket_id: str) -> str:
    return f"/console/rectifications/{ticket_id}"


async def send(browser: httpx.AsyncClient, ticket_id: str, form: str, **fields: str) -> httpx.Response:  # fmt: skip
    """Send one of the ticket's forms."""
    return await browser.post(f"{page_of(ticket_id)}/{form}", data=fields)


async def sent(browser: httpx.AsyncClient, ticket_id: str, form: str, **fields: str) -> str:
    """The page after a form that was taken."""
    answer = await send(browser, ticket_id, form, **fields)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"{page_of(ticket_id)}?done={form}"
    return await shown(browser, answer.headers["location"])


def forms(html: str) -> set[str]:
    """Which forms a ticket's page offers."""
    return set(re.findall(r'action="/console/rectifications/[^"/]+/(\w+)"', html))


async def test_from_the_bad_rating_to_the_better_one(city: City) -> None:
    citizen = await city.citizen("graduate")
    one = await ticket(city, SHOP)
    before = await index_of(city)
    async with signed_in(city, SHOP) as desk:
        listed = await shown(desk, "/console/rectifications", state="open")
        assert page_of(one) in listed
        html = await shown(desk, page_of(one))
        assert forms(html) == {"answer", "appeal"}
        assert "等了三个月" in words(html)
        assert "办得太慢" in words(html)

        html = await sent(desk, one, "answer", kind="registered", text="需要查档。")
        assert "答复已送达市民" in words(html)
        html = await sent(desk, one, "answer", kind="fixed", text="已补办。\r\n证件已寄出。")
        assert forms(html) == set()
        found = (await citizen.get(f"/v1/rectifications/{one}")).json()
        assert (found["state"], found["steps"][-1]["said"]) == ("fixed", "已补办。\n证件已寄出。")

        await reopened(citizen, one, "没有收到")
        html = await shown(desk, page_of(one))
        assert "没有收到" in words(html)
        await sent(desk, one, "answer", kind="explained", text="按规定自取。")
        await confirmed(citizen, one, {"stars": 4})
        text = words(await shown(desk, page_of(one)))
        assert "整改后再评" in text
        assert "市民认可答复" in text
    after = await index_of(city)
    assert after["satisfied"] > before["satisfied"]


async def test_what_was_typed_stays_when_it_cant_be_taken(city: City) -> None:
    one = await ticket(city, SHOP)
    async with signed_in(city, SHOP, "en") as desk:
        for fields in (
            {"kind": "fixed", "text": "  "},
            {"kind": "fixed", "text": "x" * 1001},
            {"kind": "fixed"},
            {"kind": "ignored", "text": "We ignore it."},
            {"text": "No kind was chosen."},
            {"kind": "fixed", "text": "a\x00b"},
            {},
        ):
            answer = await send(desk, one, "answer", **fields)
            assert answer.status_code == 400, fields
            text = words(answer.text)
            assert "Choose, and write 1 to 1,000 characters." in text
            if fields.get("text", "").isprintable():
                assert fields.get("text", "").strip() in text
        assert forms(await shown(desk, page_of(one))) == {"answer", "appeal"}
        kept = await send(desk, one, "answer", kind="explained", text="")
        assert re.search(r'value="explained" required checked', kept.text)
        assert 'aria-invalid="true"' in kept.text


async def test_a_review_asked_for_and_decided(city: City) -> None:
    async with signed_in(city, SHOP) as desk, signed_in(city, "operator") as operator:
        for verdict, state in (("upheld", "excluded"), ("rejected", "open")):
            one = await ticket(city, SHOP, "newborn_mother")
            assert forms(await shown(operator, page_of(one))) == {"remind"}
            html = await sent(desk, one, "appeal", reason="评价的是另一家单位。")
            assert forms(html) == set()
            html = await shown(operator, page_of(one))
            assert forms(html) == {"review"}
            assert "评价的是另一家单位。" in words(html)
            blank = await send(operator, one, "review", verdict=verdict, reason="")
            assert blank.status_code == 400
            html = await sent(operator, one, "review", verdict=verdict, reason="窗口有记录。")
            assert "裁定已记录" in words(html)
            citizen = await city.citizen("newborn_mother")
            found = (await citizen.get(f"/v1/rectifications/{one}")).json()
            assert found["state"] == state
            assert found["counts"] == (verdict == "rejected")
            if verdict == "rejected":  # one review is all there is
                assert forms(await shown(desk, page_of(one))) == {"answer"}
                again = await send(desk, one, "appeal", reason="再来一次。")
                assert again.status_code == 409
                assert "该评价已经复核过" in words(again.text)
            else:
                await city.settled()
                assert "不计入满意度" in words(await shown(desk, "/console/ratings"))


async def test_an_operator_reminds_once_a_day(city: City) -> None:
    one = await ticket(city, SHOP, "newborn_father")
    async with signed_in(city, "operator") as operator:
        html = await sent(operator, one, "remind")
        assert "已督办该部门" in words(html)
        again = await send(operator, one, "remind")
        assert again.status_code == 409
        assert "今天已经督办过该部门" in words(again.text)
        await city.settled()
        today = city.house.clock.today()
        assert f"{today} 已督办" in words(await shown(operator, "/console/rectifications"))


async def test_each_does_only_what_is_theirs(city: City) -> None:
    one = await ticket(city, SHOP, "school_mother")
    async with (
        signed_in(city, SHOP) as desk,
        signed_in(city, "utility_bills") as other,
        signed_in(city, "operator") as operator,
    ):
        answer = {"kind": "fixed", "text": "x"}
        assert (await send(other, one, "answer", **answer)).status_code == 404
        assert (await send(other, one, "appeal", reason="x")).status_code == 404
        assert (await send(operator, one, "answer", **answer)).status_code == 403
        assert (await send(operator, one, "appeal", reason="x")).status_code == 403
        assert (await send(desk, one, "remind")).status_code == 403
        assert (await send(desk, one, "review", verdict="upheld", reason="x")).status_code == 403
        assert (await send(operator, NO_ID, "remind")).status_code == 404
        assert (await send(desk, "none", "answer", **answer)).status_code == 404
        early = await send(operator, one, "review", verdict="upheld", reason="x")
        assert early.status_code == 409
        left = await desk.get(f"{page_of(one)}/answer")
        assert (left.status_code, left.headers["location"]) == (303, page_of(one))
        found = words(await shown(desk, page_of(one)))
        assert "差评生成整改单" in found
        assert "部门答复" not in found


async def test_of_two_agents_who_answer_at_once_one_does_and_the_other_sees_it(city: City) -> None:
    one = await ticket(city, SHOP, "newlywed_wife")
    async with signed_in(city, SHOP) as first, signed_in(city, SHOP) as second:
        both = await asyncio.gather(
            send(first, one, "answer", kind="fixed", text="甲已处理。"),
            send(second, one, "answer", kind="explained", text="乙已说明。"),
        )
        assert sorted(a.status_code for a in both) == [303, 409]
        late = next(a for a in both if a.status_code == 409)
        text = words(late.text)
        assert "整改单当前环节不能进行此操作" in text
        assert ("甲已处理。" in text) != ("乙已说明。" in text)
        assert forms(late.text) == set()


async def test_what_others_wrote_is_text(city: City) -> None:
    one = await ticket(city, SHOP, "newlywed_husband", comment=HOSTILE)
    async with signed_in(city, SHOP) as desk:
        html = await shown(desk, page_of(one))
        assert HOSTILE in words(html)
        bad = await send(desk, one, "answer", kind="no", text=f"</textarea>{HOSTILE}")
        assert bad.status_code == 400
        html += bad.text + await sent(desk, one, "answer", kind="fixed", text=HOSTILE)
        assert words(html).count(HOSTILE) >= 3
        assert "<script>alert" not in html
        assert "<img src=x" not in html


async def test_a_form_of_another_kind_is_a_bad_form(city: City) -> None:
    one = await ticket(city, SHOP, "near_retirement_man")
    async with signed_in(city, SHOP) as desk:
        path = f"{page_of(one)}/answer"
        as_json = await desk.post(path, json={"kind": "fixed", "text": "x"})
        assert as_json.status_code == 400
        garbage = await desk.post(
            path,
            content=b"\xff\xfe=%zz&&&=",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert garbage.status_code == 400
        huge = await desk.post(path, data={"kind": "fixed", "text": "x" * (2 << 20)})
        assert huge.status_code == 413
        assert "text/html" in huge.headers["content-type"]


async def test_notices_are_ours_alone(city: City) -> None:
    one = await ticket(city, SHOP, "near_retirement_woman")
    async with signed_in(city, SHOP) as desk:
        for said in ("answer me", "<b>", "nothing"):
            assert 'role="status"' not in await shown(desk, page_of(one), done=said)
