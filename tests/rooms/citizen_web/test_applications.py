"""Applying, appointments, sums and look-ups on paper forms: a browser without scripts."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests import workshop
from tests.city import City, running_city
from tests.rooms.cases.steps import PDF, PNG, office_registry
from tests.rooms.citizen_web.visitor import Visitor, visitor

from civicmall.kernel.config import Settings
from civicmall.shops import Registry

PHOTO = ("photo.png", PNG, "image/png")


@pytest.fixture(scope="session")
def offices(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Registry]:
    return office_registry(tmp_path_factory.mktemp("office"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(settings: Settings, offices: tuple[str, Registry]) -> AsyncGenerator[City]:
    async with running_city(settings, offices[1]) as found:
        yield found


@pytest.fixture
def office(offices: tuple[str, Registry]) -> Any:
    module = workshop.inside(offices[0])
    module.doors.set()
    return module


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def who(city: City) -> Visitor:
    found = await visitor(city)
    await found.sign_in((await city.people())["graduate"]["phone"])
    return found


@pytest.fixture
def at(offices: tuple[str, Registry]) -> str:
    return f"/shops/{offices[0]}"


async def send(
    who: Visitor, path: str, files: dict[str, Any] | None = None, **texts: str
) -> httpx.Response:
    """A form with files, as a browser sends it."""
    parts = {name: (None, said) for name, said in texts.items()}
    return await who.client.post(
        path, files={**parts, **(files or {})}, headers={"origin": who.city.url}
    )


async def applied(who: Visitor, at: str, end: str = "accept") -> str:
    """The path of a case that was handed in."""
    key = await who.key(f"{at}/plain/apply")
    answer = await send(who, f"{at}/plain/apply", key=key, f_name="李四", f_end=end)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def inputs(page: str) -> dict[str, str]:
    """What stands in the text fields of a page."""
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(f_\w+)" value="([^"]*)"', page)
    }


async def test_the_form_is_drawn_from_its_schema(who: Visitor, at: str, office: Any) -> None:
    page = await who.get(f"{at}/permit")
    assert f'href="{at}/permit/apply"' in page
    page = await who.get(f"{at}/permit/apply")
    for words in ("许可申请", "一年一次", "自受理起 15 个工作日", "照片", "许可办法"):
        assert words in page
    assert 'type="date" id="f-since"' in page
    assert 'inputmode="decimal"' in page
    assert page.count('type="radio"') == 6
    assert 'name="m_photo" accept="image/png,image/jpeg"' in page
    assert inputs(page)["f_copies"] == "1"
    assert "已按“上次申请”预填" in page
    english = await who.get(f"{at}/permit/apply?lang=en")
    assert "Filled in from your last application" in english
    assert "(yuan 0.01–10000)" in english
    await who.get(f"{at}/permit/apply?lang=zh-CN")


async def test_what_was_typed_and_handed_in_stays(who: Visitor, at: str, office: Any) -> None:
    path = f"{at}/permit/apply"
    key = await who.key(path)
    answer = await send(
        who, path, {"m_photo": PHOTO, "m_paper": ("x.pdf", b"no pdf", "application/pdf")},
        key=key, f_name="<张三>", f_amount="12.345", f_copies="99", f_since="2026-02-30",
    )  # fmt: skip
    assert answer.status_code == 422
    page = answer.text
    assert inputs(page)["f_name"] == "<张三>"
    assert inputs(page)["f_amount"] == "12.345"
    for words in ("请填写数字：0.01–10000。", "请填写数字：1–9。", "请填写日期", "请填写此项。",
                  "文件内容与其类型不符。", "文件已保留"):  # fmt: skip
        assert words in page, words
    kept = re.search(r'name="k_photo" value="([^"]+)"', page)
    assert kept
    again = await send(
        who, path, key=key, k_photo=kept[1], f_name="张三", f_end="accept", f_amount="1,234.5",
        f_copies="2", f_since="2026-02-28", f_urgent="true",
    )  # fmt: skip
    assert again.status_code == 303, again.text
    case = again.headers["location"]
    taken = office.taken[case.removeprefix("/cases/")]
    assert taken.form == {
        "name": "张三", "amount": 123450, "end": "accept", "since": "2026-02-28", "urgent": True, "copies": 2,
    }  # fmt: skip
    assert taken.materials[0].id == kept[1]
    page = await who.get(case)
    for words in ("申请已提交。", "办理中", "王科长", "审核", "部门已受理", f"N-{taken.case_id}"):
        assert words in page, words


async def test_files_that_can_not_be_taken(who: Visitor, at: str, office: Any) -> None:
    path = f"{at}/permit/apply"
    for file, words in (
        (("x.gif", b"GIF89a", "image/gif"), "材料须为 PDF、JPEG 或 PNG 文件。"),
        (("x.pdf", PDF, "application/pdf"), "不接受这种类型的文件。"),
        (("x.png", PNG + b"x" * 4 * 1024 * 1024, "image/png"), "文件不能超过 4 MB。"),
        (None, "请选择文件。"),
    ):
        answer = await send(
            who, path, {"m_photo": file} if file else None,
            key=await who.key(path), f_name="张三", f_end="accept",
        )  # fmt: skip
        assert answer.status_code == 422
        assert words in answer.text, words
    for body, media in (
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
        (b"--x", "multipart/form-data"),
        (b'--x\r\nContent-Disposition: form-data; name="f_name"\r\n\r\n\xff\r\n--x--\r\n',
         "multipart/form-data; boundary=x"),
        (b"", "text/plain"),
    ):  # fmt: skip
        answer = await who.client.post(
            path, content=body, headers={"content-type": media, "origin": who.city.url}
        )
        assert answer.status_code == 400, (media, answer.status_code)
    stranger = await who.client.post(path, data={}, headers={"origin": "https://evil.example"})
    assert stranger.status_code == 403


async def test_one_file_may_serve_for_two_papers(who: Visitor, at: str, office: Any) -> None:
    path = f"{at}/permit/apply"
    both = {"m_photo": PHOTO, "m_paper": ("photo.png", PNG, "image/png")}
    answer = await send(who, path, both, key=await who.key(path), f_name="张三", f_end="accept")
    assert answer.status_code == 303, answer.text
    handed = office.taken[answer.headers["location"].removeprefix("/cases/")].materials
    assert len({one.id for one in handed}) == 2


async def test_pressed_twice_is_one_case(who: Visitor, at: str, office: Any) -> None:
    key = await who.key(f"{at}/plain/apply")
    found = {
        (await send(who, f"{at}/plain/apply", key=key, f_name="李四", f_end="accept")).headers["location"]
        for _ in range(3)
    }  # fmt: skip
    assert len(found) == 1


async def test_what_the_department_finds_wrong_stands_beside_its_field(
    who: Visitor, at: str, office: Any
) -> None:
    key = await who.key(f"{at}/plain/apply")
    answer = await send(who, f"{at}/plain/apply", key=key, f_name="李四", f_end="bad")
    assert answer.status_code == 422
    assert '<p class="wrong" id="f-since-wrong">' in answer.text
    assert "日期在将来" in answer.text


async def test_bringing_what_is_missing(who: Visitor, at: str, office: Any) -> None:
    case = await applied(who, at)
    number = case.removeprefix("/cases/")
    office.said[f"N-{number}"] = {"state": "waiting_for_citizen"}
    page = await who.get(case)
    for words in ("待您处理", "照片不清楚", "补正材料"):
        assert words in page, words
    assert inputs(page)["f_copies"] == "", "only what is filled in here changes"
    path = f"{case}/supplement"
    empty = await send(who, path, key=await who.key(case))
    assert empty.status_code == 422
    assert "请填写内容或选择文件。" in empty.text
    wrong = await send(who, path, key=await who.key(case), f_copies="77")
    assert "请填写数字：1–9。" in wrong.text
    assert inputs(wrong.text)["f_copies"] == "77"
    refused = await send(who, path, key=await who.key(case), f_copies="9")
    assert refused.status_code == 303
    assert "太多了" in await who.get(case)
    done = await send(who, path, key=await who.key(case), f_copies="3")
    assert done.headers["location"] == case
    page = await who.get(case)
    assert "补正已提交。" in page
    assert "补正材料" not in page
    assert office.brought[number, 2].form == {"copies": 3}
    late = await send(who, path, key="x" * 12, f_copies="3")
    assert late.status_code == 303
    assert "办件状态已有变化" in await who.get(case)


async def test_the_list_the_result_and_the_rating(who: Visitor, at: str, office: Any) -> None:
    case = await applied(who, at)
    assert case in await who.get("/cases")
    assert 'href="/cases"' in await who.get("/me")
    office.said[f"N-{case.removeprefix('/cases/')}"] = {"state": "finished"}
    page = await who.get(case)
    for words in ("已办结", "准予许可", f'href="{case}/rate"'):
        assert words in page, words
    key = await who.key(f"{case}/rate")
    assert await who.to(f"{case}/rate", key=key, stars="5") == case
    assert "您的评价" in await who.get(case)
    refused = await applied(who, at, "refuse")
    assert "不符合条件" in await who.get(refused)


async def test_taking_an_application_back(who: Visitor, at: str, office: Any) -> None:
    case = await applied(who, at)
    assert await who.to(f"{case}/withdraw") == case
    assert "申请已撤回。" in await who.get(case)
    stuck = await applied(who, at)
    office.said[f"N-{stuck.removeprefix('/cases/')}"] = {"stuck": True}
    assert await who.to(f"{stuck}/withdraw") == stuck
    assert "部门未同意撤回。" in await who.get(stuck)
    pending = await applied(who, at, "pending")
    assert "部门审核中" in await who.get(pending)
    assert await who.to(f"{pending}/withdraw") == pending
    assert "办件状态已有变化" in await who.get(pending)


async def test_an_office_that_is_away_loses_nothing(who: Visitor, at: str, office: Any) -> None:
    key = await who.key(f"{at}/plain/apply")
    office.doors.clear()
    answer = await send(who, f"{at}/plain/apply", key=key, f_name="李四", f_end="accept")
    assert answer.status_code == 303
    page = await who.get(answer.headers["location"])
    assert "平台会自动重新送达" in page
    assert "data-poll" in page
    office.doors.set()


async def test_cases_are_their_owners_alone(who: Visitor, at: str, city: City, office: Any) -> None:
    case = await applied(who, at)
    stranger = await visitor(city)
    assert (await stranger.client.get(case)).headers["location"].startswith("/login?next=")
    await stranger.sign_in((await city.people())["newlywed_wife"]["phone"])
    await stranger.get(case, 404)
    await stranger.get(f"{case}/rate", 404)
    await stranger.post(f"{case}/withdraw", 404)


async def test_consent_comes_first(who: Visitor, at: str, city: City, office: Any) -> None:
    path = f"{at}/private/apply"
    first = await who.client.get(path)
    assert first.headers["location"].startswith("/verify?next=")
    other = await visitor(city)
    await other.sign_in((await city.people())["school_mother"]["phone"])
    await other.verify("school_mother")
    asks = (await other.client.get(path)).headers["location"]
    assert asks.startswith(f"{at}/private?next=")
    page = await other.get(asks)
    assert 'name="claim" value="id_number"' in page
    to = re.search(r'name="next" value="([^"]+)"', page)
    assert to
    assert to[1] == path
    assert await other.to(f"{at}/private/consent", claim="id_number", next=path) == path
    assert "许可申请" in await other.get(path)


async def test_a_time_is_booked_and_given_back(who: Visitor, at: str, office: Any) -> None:
    path = f"{at}/visits/appointments"
    page = await who.get(path)
    for words in ("政务大厅", "延时服务", "约满", "变更户口"):
        assert words in page, words
    assert "请先在上方选择办理事项，再预约。" in page
    assert 'name="slot"' not in page, "a time can be booked before it is said what for"
    days = re.findall(r"day=(\d{4}-\d\d-\d\d)", page)
    assert len(days) == 13
    page = await who.get(f"{path}?day={days[3]}&matter=change")
    assert "户口簿" in page
    slot = re.search(r'name="slot" value="([^"]+)"', page)
    assert slot
    assert slot[1] == f"{days[3]}-9"
    key = await who.key(f"{path}?day={days[3]}&matter=change")
    for _ in range(2):
        assert await who.to(path, key=key, slot=slot[1], matter="change") == path
    page = await who.get(path)
    assert "预约成功。" in page
    assert page.count("A17") == 1
    booking = re.search(r"appointments/(b-\d+)/cancel", page)
    assert booking
    assert await who.to(f"{path}/{booking[1]}/cancel") == path
    assert "A17" not in await who.get(path)
    full = await who.post(path, 409, key=key, slot=f"{days[3]}-11")
    assert "已约满" in full.text
    await who.get(f"{path}?day=nonsense&place=hall")
    await who.get(f"{path}?day={days[3]}&place=../x", 400)
    await who.post(f"{path}/nope/cancel", 404)


async def test_a_sum_with_its_formula_its_basis_and_all_its_rows(
    who: Visitor, at: str, office: Any
) -> None:
    path = f"{at}/sums/calculate"
    assert f'href="{path}"' in await who.get(f"{at}/sums")
    assert "结果" not in await who.get(path)
    page = (await who.post(path, 200, f_amount="36000.00", f_months="360")).text
    for words in (
        "¥100.00",
        "总额 ÷ 月数",
        "算法规定",
        "示例",
        "3.10 %",
        "全部 360 行",
        "不足一分舍去",
    ):
        assert words in page, words
    assert page.count("<tr>") == 361
    assert inputs(page) == {"f_amount": "36000.00", "f_months": "360"}
    assert "全部" not in (await who.post(path, 200, f_amount="120", f_months="12")).text
    wrong = (await who.post(path, 422, f_amount="x", f_months="361")).text
    assert "请填写数字：1–360。" in wrong
    assert "没有第十三个月" in (await who.post(path, 422, f_amount="1", f_months="13")).text
    await who.get(f"{at}/records/calculate", 404)


async def test_a_look_up(who: Visitor, at: str, office: Any) -> None:
    path = f"{at}/records/enquire"
    page = (await who.post(path, 200, f_year="2026")).text
    assert '<span class="num">2026</span>' in page
    assert "—" in page
    assert "没有记录" in (await who.post(path, 200, f_year="2000")).text
    assert "部门没有相关记录。" in (await who.post(path, 200, f_year="1999")).text
    assert "请填写数字" in (await who.post(path, 422, f_year="two")).text


async def test_the_same_over_the_api(who: Visitor, at: str, city: City, office: Any) -> None:
    """The doors beside the pages: typed, and wrong values named field by field."""
    app = f"/v1{at}/apps"
    api = await city.newcomer("newlywed_husband")
    slots = (await api.get(f"{app}/visits/slots")).json()
    assert len(slots["slots"]) == 39
    day = slots["slots"][0]["begins_at"][:10]
    one = (await api.get(f"{app}/visits/slots?from_on={day}&until_on={day}&place=hall")).json()
    assert len(one["slots"]) == 3
    for query in (
        f"from_on={day}&until_on=2020-01-01",
        "from_on=9999-12-31",
        "from_on=x",
        "place=..",
    ):
        assert (await api.get(f"{app}/visits/slots?{query}")).status_code == 400, query
    ask = {"slot": slots["slots"][0]["id"]}
    made = [
        await api.post(f"{app}/visits/bookings", json=ask, headers={"idempotency-key": "one"})
        for _ in range(3)
    ]
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["id"] for answer in made}) == 1
    mine = (await api.get(f"{app}/visits/bookings")).json()["items"]
    assert made[0].json()["id"] in [booking["id"] for booking in mine]
    for _ in range(2):
        gone = await api.delete(f"{app}/visits/bookings/{made[0].json()['id']}")
        assert (gone.status_code, gone.json()["state"]) == (200, "cancelled")
    sums = await api.post(
        f"{app}/sums/calculation", json={"values": {"amount": 1200, "months": 12}}
    )
    assert sums.json()["figures"][0]["value"] == 100
    bad = await api.post(f"{app}/sums/calculation", json={"values": {"amount": 0, "month": 1}})
    assert bad.json()["type"] == "/problems/form-refused"
    assert {e["field"] for e in bad.json()["errors"]} == {"amount", "months", "month"}
    unfit = await api.post(f"{app}/sums/calculation", json={"values": {"amount": 1, "months": 13}})
    assert unfit.json()["errors"] == [{"field": "months", "problem": "没有第十三个月"}]
    found = await api.post(f"{app}/records/enquiry", json={"values": {"year": 2026}})
    assert found.json()["table"]["rows"][0] == [2026]
    none = await api.post(f"{app}/sums/enquiry", json={"values": {}})
    assert none.status_code == 404


URLENCODED = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"key=abcdefgh12&" + b"a=&" * 3_000_000, 413),
        (b"key=abcdefgh12&f_name=" + b"%41" * 3_000_000, 413),
        (b"key=abcdefgh12&" + b"a=&" * 300, 400),
        (b"key=abcdefgh12&f_name=" + b"%41" * 1_000, 422),
    ],
    ids=["fields", "escapes", "some-fields", "some-escapes"],
)
async def test_forms_that_only_cost_time_to_read_are_not_read(
    who: Visitor, at: str, body: bytes, status: int
) -> None:
    """Where files may come a form may have 33 MB; one without them would take half a minute."""
    headers = {"origin": who.city.url, **URLENCODED}
    async with asyncio.timeout(5):
        for page in ("plain/apply", "sums/calculate"):
            answer = await who.client.post(f"{at}/{page}", content=body, headers=headers)
            assert answer.status_code == status, answer.text
            assert "text/html" in answer.headers["content-type"]


async def test_a_text_as_large_as_a_file_is_refused(who: Visitor, at: str) -> None:
    key = await who.key(f"{at}/plain/apply")
    answer = await send(who, f"{at}/plain/apply", key=key, f_end="accept", f_name="好" * 1_000_000)
    assert answer.status_code == 413
    assert "好好" not in answer.text
