"""Each kind of line is left by its public door, once, and is readable on the citizen's page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any, Final, get_args
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from tests.city import City
from tests.rooms.citizen_web.visitor import visitor
from tests.rooms.identity.delegation.helping import HOME as DELEGATIONS
from tests.rooms.identity.delegation.helping import invited, token_for
from tests.rooms.identity.federation.hostile import Way, hostile_upstream
from tests.rooms.identity.levels.people import HOMES, Somebody, somebody
from tests.rooms.identity.passkeys.steps import added, sign_in
from tests.rooms.identity.provider import steps as oauth
from tests.rooms.identity.steps import code_for, pair_for, refreshed

from civicmall import identity
from civicmall.citizen_web import happened
from civicmall.identity import audit
from civicmall.identity.attributes import leaving
from civicmall.kernel import ids
from civicmall.kernel.i18n import translate
from shopkit.contract import Attestation

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
Line = tuple[str, list[str]]
Act = Callable[[City], Awaitable[tuple[UUID, list[Line]]]]
"""Does something; answers whose lines to look at and the newest ones, newest first."""
KINDS: Final = set(get_args(audit.Kind))
CONSENT: Final = "/v1/me/consents/utility_bills/water"
_homes = iter(range(200, 300))


def done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def named(city: City) -> Somebody:
    """Somebody new at level 2."""
    return await somebody(city, HOMES[next(_homes)])


async def signs_in(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    return one.id, [("sign_in", ["otp", "sms"])]


async def signs_out(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    done(await one.client.delete("/v1/me/session"))
    return one.id, [("sign_out", []), ("sign_in", ["otp", "sms"])]


async def signs_others_out(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    for _ in range(2):
        await pair_for(city, one.phone)
    done(await one.client.delete("/v1/me/sessions"))
    done(await one.client.delete("/v1/me/sessions"))  # nobody is left: no line
    return one.id, [("sign_out_others", []), ("sign_in", ["otp", "sms"])]


async def is_copied(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    token = one.pair["refresh_token"]
    done(await refreshed(one.client, token))
    await city.house.db.execute(
        "update identity.session set rotated_at = now() - interval '1 hour'"
        " where bucket = $1 and owner = $2",
        *(ids.bucket_of(one.id), one.id),
    )
    assert (await refreshed(one.client, token)).status_code == 401
    assert (await refreshed(one.client, token)).status_code == 401
    return one.id, [("copied", []), ("sign_in", ["otp", "sms"])]


async def is_verified(city: City) -> tuple[UUID, list[Line]]:
    return (await named(city)).id, [("level", ["level_2", "register"])]


async def is_seen_by_face(city: City) -> tuple[UUID, list[Line]]:
    one = await named(city)
    check = done(await one.post("/v1/me/face-checks"))
    url = urlsplit(str(check["url"]))
    token = parse_qs(url.query)["token"][0]
    await (await visitor(city)).to(url.path, token=token, choice="passed")
    done(await one.post(f"/v1/me/face-checks/{check['id']}/result"))
    return one.id, [("level", ["level_3", "face"])]


async def is_seen_at_a_counter(city: City) -> tuple[UUID, list[Line]]:
    home = HOMES[next(_homes)]
    one = await somebody(city, home)
    code = done(await one.post("/v1/me/counter-codes"))["code"]
    said = {"id_number": home.id_number, "code": code, "case": "17", "reason": "换领身份证"}
    agent = await city.department("public_security")
    done(await agent.post("/v1/desk/counter-checks", json=said))
    return one.id, [("read", ["id_number", "name"]), ("level", ["level_3", "counter"])]


async def agrees(city: City) -> tuple[UUID, list[Line]]:
    one = await named(city)
    done(await one.client.put(CONSENT, json={"claims": ["id_number"]}))
    return one.id, [("consent_given", ["id_number"])]


async def takes_back(city: City) -> tuple[UUID, list[Line]]:
    one = await named(city)
    done(await one.client.put(CONSENT, json={"claims": ["id_number"]}))
    done(await one.client.delete(CONSENT))
    return one.id, [("consent_taken_back", ["id_number"])]


async def signs_in_at_a_client(city: City) -> tuple[UUID, list[Line]]:
    partner, who = await oauth.register(city), await oauth.citizen(city)
    await partner.signed_in(who)
    await oauth.straight(who, partner.url())  # at once again: counted only
    me = await identity.account(city.house, (await city.people())["school_mother"]["phone"])
    found = await audit.lines(city.house.db, me, None, 2)
    assert found[0].reader == f"client:{partner.client_id}"
    return me, [("client_sign_in", found[0].claims), ("consent_given", found[1].claims)]


async def invites(city: City) -> tuple[UUID, list[Line]]:
    one, other = await named(city), await named(city)
    done(await invited(one.client, other.phone, "agent", may=["view"]))
    return one.id, [("delegation_invited", ["view"])]


async def _agreed(city: City) -> tuple[Somebody, Somebody, dict[str, Any]]:
    one, other = await named(city), await named(city)
    made = done(await invited(one.client, other.phone, "agent", may=["view"]))
    # The level is in the token from the next one on.
    fresh = done(await refreshed(other.client, other.pair["refresh_token"]))
    other.client = await city.client(fresh["access_token"])
    return one, other, done(await other.client.post(f"{DELEGATIONS}/{made['id']}/acceptance"))


async def is_given_an_agent(city: City) -> tuple[UUID, list[Line]]:
    one, _, _ = await _agreed(city)
    return one.id, [("delegation_given", ["view"]), ("delegation_invited", ["view"])]


async def becomes_an_agent(city: City) -> tuple[UUID, list[Line]]:
    _, other, _ = await _agreed(city)
    return other.id, [("delegation_received", ["view"])]


async def loses_an_agent(city: City) -> tuple[UUID, list[Line]]:
    one, other, made = await _agreed(city)
    done(await other.client.delete(f"{DELEGATIONS}/{made['id']}"))
    (line,) = await audit.lines(city.house.db, one.id, None, 0)
    assert line.by == other.id, "who ended it"
    return one.id, [("delegation_ended", ["view"])]


async def is_agent_no_more(city: City) -> tuple[UUID, list[Line]]:
    one, other, made = await _agreed(city)
    done(await one.client.delete(f"{DELEGATIONS}/{made['id']}"))
    return other.id, [("delegation_lost", ["view"])]


async def is_acted_for(city: City) -> tuple[UUID, list[Line]]:
    one, other, made = await _agreed(city)
    for _ in range(3):  # an hour's leave one line
        done(await token_for(other.client, made))
    (line,) = await audit.lines(city.house.db, one.id, None, 0)
    assert line.by == other.id
    return one.id, [("acting", ["view"]), ("delegation_given", ["view"])]


async def acts(city: City) -> tuple[UUID, list[Line]]:
    _, other, made = await _agreed(city)
    for _ in range(3):
        done(await token_for(other.client, made))
    return other.id, [("acted", ["view"]), ("delegation_received", ["view"])]


async def adds_a_passkey(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    await added(city, one.client)
    return one.id, [("passkey_added", [])]


async def removes_a_passkey(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    await added(city, one.client)
    (key,) = done(await one.client.get("/v1/me/passkeys"))["items"]
    done(await one.client.delete(f"/v1/me/passkeys/{key['id']}"))
    return one.id, [("passkey_removed", [])]


async def has_a_passkey_set_aside(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    key = await added(city, one.client)
    key.count = 7
    done(await sign_in(await city.anonymous(), key))
    key.count = 3
    assert (await sign_in(await city.anonymous(), key)).status_code == 403
    assert (await sign_in(await city.anonymous(), key)).status_code == 403
    return one.id, [("passkey_set_aside", []), ("sign_in", ["hwk", "mfa"])]


async def links(city: City) -> tuple[UUID, list[Line]]:
    return (await _linked(city))[0].id, [("sign_in", ["federated"]), ("linked", ["127.0.0.1"])]


async def _linked(city: City) -> tuple[Somebody, str]:
    """Signed in through an upstream that answers for their phone, twice: one connection."""
    one = await somebody(city)
    async with httpx.AsyncClient(trust_env=False) as http, hostile_upstream() as upstream:
        upstream.right()
        upstream.info = {"phone_number": f"+86{one.phone}", "phone_number_verified": True}
        upstream.sub = f"sub-{one.phone}"
        way = Way(city.house, http, upstream)
        assert (await way.both()).citizen_id == one.id
    (link,) = await identity.federation.links(city.house.db, one.id)
    return one, str(link.id)


async def unlinks(city: City) -> tuple[UUID, list[Line]]:
    one, link = await _linked(city)
    for _ in range(2):
        done(await one.client.delete(f"/v1/me/links/{link}"))
    return one.id, [("unlinked", ["127.0.0.1"]), ("sign_in", ["federated"])]


async def tells(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    done(await one.client.put("/v1/me/facts", json={"facts": {"housing": "tenant"}}))
    said = {"kind": "retired", "on": "2026-01-01"}
    key = {"idempotency-key": uuid4().hex}
    for _ in range(2):
        done(await one.client.post("/v1/me/events", json=said, headers=key))
    return one.id, [("facts", ["life_event"]), ("facts", ["housing"])]


async def switches(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    path = "/v1/me/facts/housing/recommendation"
    for on in (False, False, True, True):
        done(await one.client.put(path, json={"recommend": on}))
    off, on_ = ["housing", "switched_off"], ["housing", "switched_on"]
    return one.id, [("fact_switched", on_), ("fact_switched", off), ("sign_in", ["otp", "sms"])]


async def _attested(city: City) -> Somebody:
    one = await somebody(city)
    said = Attestation("veteran", value=True, as_of=city.house.clock.today())
    await identity.attributes.service.attest(city.house, one.id, "housing_fund", said, {"veteran"})
    ask = {"source": "housing_fund", "words": "我没有当过兵"}
    done(await one.client.put("/v1/me/facts/veteran/objection", json=ask))
    return one


async def objects(city: City) -> tuple[UUID, list[Line]]:
    return (await _attested(city)).id, [("objection", ["veteran"])]


async def takes_an_objection_back(city: City) -> tuple[UUID, list[Line]]:
    one = await _attested(city)
    for _ in range(2):
        params = {"source": "housing_fund"}
        done(await one.client.delete("/v1/me/facts/veteran/objection", params=params))
    return one.id, [("objection_taken_back", ["veteran"]), ("objection", ["veteran"])]


async def has_an_objection_answered(city: City) -> tuple[UUID, list[Line]]:
    one = await _attested(city)
    await city.settled()
    staff = await city.department("housing_fund")
    dispute = done(await staff.get("/v1/desk/disputes", params={"limit": 1}))["items"][0]["id"]
    path = f"/v1/desk/disputes/{dispute}"
    done(await staff.post(f"{path}/opening", json={"reason": "case", "words": "核对退役记录"}))
    done(await staff.post(f"{path}/answer", json={"verdict": "kept", "text": "记录无误"}))
    return one.id, [("objection_answered", ["kept", "veteran"])]


async def objects_to_a_reading(city: City) -> tuple[UUID, list[Line]]:
    one = await _objecting(city)
    return one.id, [("reading_objected", []), ("read", ["phone"])]


async def _objecting(city: City) -> Somebody:
    one = await somebody(city)
    await identity.note_access(city.house, one.id, "utility_bills/water", ["phone"], "bills.list")
    done(
        await one.client.post(
            "/v1/me/accesses/2/objection", json={"words": "为什么查我"},
            headers={"idempotency-key": "k"},
        )
    )  # fmt: skip
    return one


async def is_answered(city: City) -> tuple[UUID, list[Line]]:
    one = await _objecting(city)
    await city.settled()
    operator = await city.operator()
    waiting = done(await operator.get("/v1/desk/reading-objections"))["items"]
    path = f"/v1/desk/reading-objections/{waiting[-1]['id']}/answer"
    done(await operator.post(path, json={"text": "经核查，属正常查询"}))
    return one.id, [("reading_answered", []), ("reading_objected", [])]


async def exports(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    assert (await one.client.get("/v1/me/export")).status_code == 200
    return one.id, [("export", ["everything"])]


async def leaves(city: City) -> tuple[UUID, list[Line]]:
    one = await somebody(city)
    done(await one.client.post("/v1/me/deletion/code"))
    messages = done(await (await city.anonymous()).get("/v1/sandbox/messages"))["items"]
    code = re.findall(r"\d{6}", next(m["text"] for m in messages if m["to"] == one.phone))[0]
    done(await one.client.post("/v1/me/deletion", json={"code": code}))
    for _ in range(2):
        await leaving.finish_all(city.house, city.parts.personal, begun_s=0, settled_s=0)
    return one.id, [("deletion", ["done"]), ("sign_out_others", []), ("deletion", ["asked"])]


ACTS: Final[list[tuple[Act, set[str]]]] = [
    (signs_in, {"sign_in"}), (signs_out, {"sign_out"}), (signs_others_out, {"sign_out_others"}),
    (is_copied, {"copied"}), (is_verified, {"level"}), (is_seen_by_face, {"level"}),
    (is_seen_at_a_counter, {"level", "read"}), (agrees, {"consent_given"}),
    (takes_back, {"consent_taken_back"}), (signs_in_at_a_client, {"client_sign_in"}),
    (invites, {"delegation_invited"}), (is_given_an_agent, {"delegation_given"}),
    (becomes_an_agent, {"delegation_received"}), (loses_an_agent, {"delegation_ended"}),
    (is_agent_no_more, {"delegation_lost"}), (is_acted_for, {"acting"}), (acts, {"acted"}),
    (adds_a_passkey, {"passkey_added"}), (removes_a_passkey, {"passkey_removed"}),
    (has_a_passkey_set_aside, {"passkey_set_aside"}), (links, {"linked"}), (unlinks, {"unlinked"}),
    (tells, {"facts"}), (switches, {"fact_switched"}), (objects, {"objection"}),
    (takes_an_objection_back, {"objection_taken_back"}),
    (has_an_objection_answered, {"objection_answered"}),
    (objects_to_a_reading, {"reading_objected"}), (is_answered, {"reading_answered"}),
    (exports, {"export"}), (leaves, {"deletion"}),
]  # fmt: skip


def test_no_kind_is_left_out() -> None:
    assert set().union(*(kinds for _, kinds in ACTS)) == KINDS
    assert happened.KINDS.keys() == KINDS


@pytest.mark.parametrize(("act", "kinds"), ACTS, ids=lambda one: getattr(one, "__name__", ""))
async def test_a_line_is_left_and_the_chain_holds(city: City, act: Act, kinds: set[str]) -> None:
    citizen, newest = await act(city)
    found = await audit.lines(city.house.db, citizen, None, len(newest) - 1)
    assert [(line.kind, line.claims) for line in found] == newest
    assert kinds <= {kind for kind, _ in newest}
    report = await audit.verify(city.house)
    assert [one for one in report.findings if one.citizen == citizen] == []


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_every_kind_is_readable(city: City, lang: str) -> None:
    one = await somebody(city)
    for kind in sorted(KINDS - {"read"}):
        reader = "housing_fund" if kind in happened.NOT_READERS else ""
        what = {
            "level": ["level_3", "counter"], "deletion": ["asked"], "linked": ["id.example"],
            "fact_switched": ["housing", "switched_off"], "objection": ["veteran"],
            "acting": ["view", "pay"], "facts": ["life_event"], "consent_given": ["id_number"],
        }.get(kind, [])  # fmt: skip
        purpose = "7" if kind in happened.OF_LINE else ""
        await audit.note(
            city.house, one.id, kind, what=what, reader=reader, purpose=purpose  # type: ignore[arg-type]
        )  # fmt: skip
    who = await visitor(city, lang)
    await who.sign_in(one.phone)
    page = unescape(await who.get("/me/account-log"))
    for said in happened.KINDS.values():
        shown = translate(lang, said)
        assert (shown in page) == (said != happened.KINDS["read"]), said
    for code in ("level_3", "life_event", "switched_off", "fact_switched", "id_number"):
        assert code not in page, "a word of ours is told in theirs"
    assert "id.example" in page
    assert ("第 7 条" if lang == "zh-CN" else "entry 7") in page


async def test_codes_leave_no_line(city: City) -> None:
    """What changes nothing is not in the way of what does."""
    one = await somebody(city)
    await code_for(city, one.phone)
    assert len(await audit.lines(city.house.db, one.id, None, 10)) == 1
