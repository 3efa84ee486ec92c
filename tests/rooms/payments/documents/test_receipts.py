"""Receipts: what stands on the paper, what its QR code leads to, and what anybody may see there."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from uuid import UUID, uuid4

import httpx
import pypdfium2
import pytest
import zxingcpp
from tests.city import City
from tests.patience import STALL_S
from tests.rooms.payments.documents.steps import (
    BOOTH,
    KIOSK,
    PDF,
    at,
    back,
    flat,
    pages,
    paid,
    yesterday,
)
from tests.rooms.payments.steps import Payer, payer

from civicmall.payments.documents import codes, paper, receipt_pdf
from civicmall.payments.documents.models import Paper, PaperLine


async def receipt(someone: Payer, order: dict[str, Any], lang: str = "zh-CN") -> bytes:
    answer = await someone.http.get(
        f"/v1/orders/{order['id']}/receipt.pdf", headers={"accept-language": lang}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == PDF
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"%PDF-")
    return answer.content


def scanned(pdf: bytes) -> str:
    """What a phone reads from the first page, rendered as browsers render it (PDFium)."""
    document: Any = pypdfium2.PdfDocument(pdf)
    try:
        found = zxingcpp.read_barcodes(document[0].render(scale=2).to_pil())
    finally:
        document.close()
    return str(found[0].text)


async def verified(city: City, code: str, status: int = 200, lang: str = "zh-CN") -> dict[str, Any]:
    nobody = await city.client(lang=lang)
    answer = await nobody.get("/v1/receipts/verify", params={"code": code})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_the_paper_says_everything_and_its_code_leads_to_how_it_stands(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 123456), at(BOOTH, 9))
    pdf = await receipt(someone, order)
    (page,) = pages(pdf)
    text = flat(page)
    for said in (
        "缴费收据", "有效（无退款）", order["id"], "沙箱银行", "¥1,234.56", "¥0.09", "stall.fee", "本人",
        "2026-10", "¥1,234.65", "人民币壹仟贰佰叁拾肆元陆角伍分", "第1页，共1页",
        *(line["receipt_number"] for line in order["lines"]),
    ):  # fmt: skip
        assert flat(said) in text, said
    number = codes.number(UUID(order["id"]), codes.datetime.fromisoformat(order["paid_at"]))
    assert number in text
    link = scanned(pdf)
    assert link.startswith(f"{city.url}/verify/")
    code = link.rpartition("/")[2]
    assert codes.grouped(code) in text
    seen = await verified(city, code)
    assert (seen["number"], seen["state"]) == (number, "valid")
    assert (seen["amount_minor"], seen["refunded_minor"]) == (123465, 0)
    assert [line["amount_minor"] for line in seen["lines"]] == [
        line["amount_minor"] for line in order["lines"]
    ]
    assert {line["beneficiary"] for line in seen["lines"]} == {"本***"}
    assert str(someone.id) not in str(seen) + text


async def test_the_same_paper_in_english(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 1000))
    text = " ".join(" ".join(pages(await receipt(someone, order, "en"))).split())
    for said in ("Payment receipt", "Valid: nothing was refunded", "Ticket", "人民币壹拾元整"):
        assert said in text
    assert "page 1 of 1" in text


async def test_refunds_show_on_the_next_paper_and_at_once_behind_the_code(city: City) -> None:
    """Which receipt counts: all have one number and one code, and the code tells the present."""
    someone, order = await paid(city, at(KIOSK, 500), at(KIOSK, 700))
    first = await receipt(someone, order)
    link = scanned(first)
    code = link.rpartition("/")[2]
    refund = await back(city, order, 1, 200)
    assert refund.status_code == 201, refund.text
    second = await receipt(someone, order)
    assert scanned(second) == link
    number = (await verified(city, code))["number"]
    for pdf in (first, second):
        assert number in flat("".join(pages(pdf)))
    text = flat("".join(pages(second)))
    for said in ("已部分退款", "退第1项¥2.00", "退款合计¥2.00", "退款后实缴¥10.00", "¥12.00"):
        assert said in text, said
    seen = await verified(city, code)
    assert (seen["state"], seen["refunded_minor"]) == ("part_refunded", 200)
    assert [line["refunded_minor"] for line in seen["lines"]] == [200, 0]
    for no, minor in ((1, 300), (2, 700)):
        assert (await back(city, order, no, minor)).status_code == 201
    assert (await verified(city, code))["state"] == "refunded"
    assert "已全额退款" in flat("".join(pages(await receipt(someone, order))))


async def test_a_line_that_its_department_refused_is_on_the_paper_as_gone_back(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 500), at(BOOTH, 300, "refuse"))
    text = flat("".join(pages(await receipt(someone, order))))
    for said in ("部门未确认", "¥8.00", "退款合计¥3.00"):
        assert said in text, said


async def test_who_gets_no_paper(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 500))
    path = f"/v1/orders/{order['id']}/receipt.pdf"
    other = await payer(city)
    assert (await other.http.get(path)).json()["type"] == "/problems/no-such-order"
    assert (await (await city.anonymous()).get(path)).status_code == 401
    assert (await (await city.operator()).get(path)).status_code == 403
    unpaid = await someone.order(at(KIOSK, 1))
    refused = await paid(city, at(KIOSK, 500, "refuse"))
    for who, made in ((someone, unpaid), refused):
        answer = await who.http.get(f"/v1/orders/{made['id']}/receipt.pdf")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-receipt")


async def test_a_typing_error_and_a_forgery_are_told_apart(city: City) -> None:
    _, order = await paid(city, at(KIOSK, 500))
    good = codes.code(city.house.keys, UUID(order["id"]))
    wrong = good[:-1] + ("7" if good[-1] != "7" else "8")
    for typed in (wrong, good[:-1], "hello", "'; drop table payments.orders; --"):
        said = await verified(city, typed, 422)
        assert said["type"] == "/problems/receipt-code-mistyped"
    forged = _with_check(UUID(order["id"]).bytes + bytes(codes.MAC))
    assert (await verified(city, forged, 404))["type"] == "/problems/receipt-code-forged"
    nowhere = codes.code(city.house.keys, uuid4())
    assert (await verified(city, nowhere, 404))["type"] == "/problems/receipt-code-forged"
    assert "核对" in (await verified(city, "hello", 422))["title"]
    assert (await verified(city, good.lower()))["state"] == "valid"


def _with_check(signed: bytes) -> str:
    return codes.written(signed + codes.check_part(signed))


def long_paper(lines: int) -> Paper:
    """As many lines as an order takes, each as long as a shop may say."""
    now = codes.datetime(2026, 11, 30, 8, 0, tzinfo=codes.CITY)
    code = "0" * codes.LENGTH
    one: dict[str, Any] = {"department": "很长的部门名称" * 20, "fee_code": "f" * 80, "beneficiary": "受益人" * 60,
           "period": "2026-10", "amount_minor": 100, "refunded_minor": 1}  # fmt: skip
    found = [
        PaperLine(
            no=no, title=f"标题{no}𠮷䶮 <b>&\x00\n" + "长" * 300, receipt_number="9" * 80, **one
        )
        for no in range(1, lines + 1)
    ]
    return Paper(
        "20261130-AAAAAAAA-BBBBBBBB", code, f"http://127.0.0.1/verify/{code}", uuid4(), "part_refunded",
        now, "sandbox", "T" * 80, [], 100 * lines, lines, "CNY", now, found, [],
    )  # fmt: skip


async def test_a_long_paper_has_pages_and_is_drawn_beside_the_loop() -> None:
    """Nobody waits while one is drawn; what the font lacks is set in the spare one, or as 〓."""
    where: list[str] = []
    draw = receipt_pdf.drawn

    def seen(*args: Any) -> bytes:
        where.append(threading.current_thread().name)
        return draw(*args)

    receipt_pdf.drawn = seen  # type: ignore[assignment]
    try:
        beats = 0
        task = asyncio.create_task(receipt_pdf.draw(long_paper(20), "zh-CN"))
        while not task.done():
            await asyncio.sleep(0)
            beats += 1
    finally:
        receipt_pdf.drawn = draw
    assert beats > 10
    assert where == ["pdf-receipt_0"]
    found = pages(task.result())
    assert len(found) > 5
    assert [f"第{n}页，共{len(found)}页" in flat(page) for n, page in enumerate(found, 1)] == [
        True
    ] * len(found)
    assert "标题20〓" in flat("".join(found))
    assert len(task.result()) < 300_000


async def test_too_many_papers_at_once_are_asked_to_come_again() -> None:
    pen = paper.Pen("receipt")
    hold = threading.Event()
    tasks = [
        asyncio.create_task(pen.draw(lambda _: hold.wait(10))) for _ in range(paper.WAITING_MAX)
    ]
    await asyncio.sleep(0)
    with pytest.raises(paper.Unavailable) as busy:
        await pen.draw(lambda _: True)
    hold.set()
    await asyncio.gather(*tasks)
    assert busy.value.extra["retry_after_s"] == 5
    assert await pen.draw(lambda _: True)
    pen.close()


async def test_whoever_wants_many_at_once_keeps_nobody_from_theirs(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of one caller may wait; the others of the same are asked to come again."""
    greedy, order = await paid(city, at(KIOSK, 500))
    other, theirs = await paid(city, at(KIOSK, 700))
    hold, draw = threading.Event(), receipt_pdf.drawn

    def slowly(*args: Any) -> bytes:
        hold.wait(10)
        return draw(*args)

    monkeypatch.setattr(receipt_pdf, "drawn", slowly)
    path = f"/v1/orders/{order['id']}/receipt.pdf"
    tasks = [
        asyncio.create_task(greedy.http.get(path, params={"n": n}))
        for n in range(paper.WAITING_MAX + 2)
    ]
    try:
        async with asyncio.timeout(5 + STALL_S):
            while sum(task.done() for task in tasks) < len(tasks) - paper.EACH_MAX:
                await asyncio.sleep(0.01)
        mine = asyncio.create_task(receipt(other, theirs))
        refused = [task.result() for task in tasks if task.done()]
    finally:
        hold.set()
    assert {one.status_code for one in refused} == {503}
    assert all(one.headers["retry-after"] == "5" for one in refused)
    assert "¥7.00" in flat("".join(pages(await mine)))
    answers = await asyncio.gather(*tasks)
    assert sorted(one.status_code for one in answers)[: paper.EACH_MAX + 1] == [200, 200, 503]
    await receipt(greedy, order)


async def test_receipts_at_once_are_each_their_own(city: City) -> None:
    made = [await paid(city, at(KIOSK, 100 + n)) for n in range(6)]
    found = await asyncio.gather(*(receipt(who, order) for who, order in made for _ in range(2)))
    for n, pdf in enumerate(found):
        assert f"¥1.0{n // 2}" in flat("".join(pages(pdf)))


async def test_the_receipt_s_numbers_and_its_page_tell_what_went_back(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 500), at(BOOTH, 700))
    path = f"/orders/{order['id']}/receipt"
    before = (await someone.http.get(f"/v1{path}")).json()
    assert (before["amount_minor"], before["refunded_minor"]) == (1200, 0)
    assert [line["refunded_minor"] for line in before["lines"]] == [0, 0]
    assert (await back(city, order, 2, 250)).status_code == 201
    after = (await someone.http.get(f"/v1{path}")).json()
    assert (after["amount_minor"], after["refunded_minor"]) == (1200, 250)
    assert [line["refunded_minor"] for line in after["lines"]] == [0, 250]


async def test_a_day_later_the_number_is_the_same(city: City) -> None:
    someone, order = await paid(city, at(KIOSK, 500))
    before = scanned(await receipt(someone, order))
    await yesterday(city)
    assert scanned(await receipt(someone, order)) == before


async def test_the_page_for_everybody(city: City) -> None:
    _, order = await paid(city, at(KIOSK, 500))
    code = codes.code(city.house.keys, UUID(order["id"]))
    nobody: httpx.AsyncClient = await city.anonymous()
    page = await nobody.get(f"/verify/{code}")
    assert page.status_code == 200
    number = codes.number(UUID(order["id"]), codes.datetime.fromisoformat(order["paid_at"]))
    for said in (number, "有效", "5.00", "本***"):
        assert said in page.text
    assert page.headers["cache-control"] == "no-store"
    await back(city, order, 1, 100)
    assert "已部分退款" in (await nobody.get(f"/verify/{code}")).text
    typed = await nobody.get("/receipt-check", params={"code": codes.grouped(code).lower()})
    assert number in typed.text
    for bad, status, words in (("hello", 422, "输入有误"), (_with_check(bytes(23)), 404, "不属于")):
        for path in (f"/verify/{bad}", f"/receipt-check?code={bad}"):
            answer = await nobody.get(path)
            assert answer.status_code == status
            assert words in answer.text
            assert 'name="code"' in answer.text, "to try again"
    empty = await nobody.get("/receipt-check")
    assert empty.status_code == 200
    assert 'name="code"' in empty.text
