"""An upstream that is wrong, down, slow, or an enemy: each ends in a name, and signs nobody in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.patience import STALL_S
from tests.rooms.identity.federation.hostile import CLIENT, SECRET, Hostile, Way, hostile_upstream
from tests.rooms.identity.steps import new_phone

from civicmall.identity import federation, outward
from civicmall.identity.federation import Flow
from civicmall.kernel.errors import Problem
from civicmall.kernel.house import House

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
Change = Callable[[Hostile], object]


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


async def sessions(house: House) -> int:
    found: int = await house.db.fetchval("select count(*) from identity.session")
    return found


async def refused(way: Way) -> tuple[str, Any]:
    """The problem's name and the check that it names; no session was opened, nobody was made."""
    count = "select count(*) from identity.citizen"
    before = await sessions(way.house), await way.house.db.fetchval(count)
    with pytest.raises(Problem) as caught:
        await way.both()
    assert (await sessions(way.house), await way.house.db.fetchval(count)) == before
    extra = caught.value.extra
    said = extra.get("check") or extra.get("reason") or extra.get("error")
    return caught.value.type.removeprefix("/problems/"), said


async def test_an_honest_one_signs_in(way: Way) -> None:
    """Else none of the refusals below would mean anything."""
    done = await way.both()
    assert done.trouble == ""
    assert way.tokens.check(done.pair.access_token).citizen_id == done.citizen_id  # type: ignore[union-attr]
    form = way.wicked.form
    assert form["client_id"] == [CLIENT]
    assert form["client_secret"] == [SECRET]
    assert form["redirect_uri"] == ["app.city:/back"]
    assert way.said["code_challenge_method"] == ["S256"]
    assert federation.rules.challenge(form["code_verifier"][0]) == way.said["code_challenge"][0]


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"iss": "https://elsewhere.example"}, "iss"),
    "the issuer with a slash": ({"iss": "/"}, "iss"),
    "no issuer": ({"iss": None}, "iss"),
    "another audience": ({"aud": "somebody"}, "aud"),
    "an empty audience": ({"aud": []}, "aud"),
    "no audience": ({"aud": None}, "aud"),
    "an audience that is an object": ({"aud": {CLIENT: 1}}, "aud"),
    "two audiences, for nobody": ({"aud": [CLIENT, "other"]}, "azp"),
    "made for another party": ({"aud": [CLIENT, "other"], "azp": "other"}, "azp"),
    "one audience, another party": ({"azp": "other"}, "azp"),
    "over": ({"exp": 1_700_000_000}, "exp"),
    "never over": ({"exp": None}, "exp"),
    "over at true": ({"exp": True}, "exp"),
    "over at a word": ({"exp": "tomorrow"}, "exp"),
    "made long ago": ({"iat": 1_700_000_000}, "iat"),
    "made in the future": ({"iat": 4_000_000_000}, "iat"),
    "made never": ({"iat": None}, "iat"),
    "not yet good": ({"nbf": 4_000_000_000}, "nbf"),
    "another nonce": ({"nonce": "x" * 43}, "nonce"),
    "no nonce": ({"nonce": None}, "nonce"),
    "a nonce that is a list": ({"nonce": ["x"]}, "nonce"),
    "of another access token": ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "at-hash"),
    "at_hash that is a number": ({"at_hash": 7}, "at-hash"),
    "no subject": ({"sub": None}, "sub"),
    "an empty subject": ({"sub": ""}, "sub"),
    "a subject that is a number": ({"sub": 7}, "sub"),
    "an endless subject": ({"sub": "x" * 256}, "sub"),
    "a subject with NUL": ({"sub": "a\x00b"}, "sub"),
}


@pytest.mark.parametrize("name", CLAIMS)
async def test_a_claim_that_does_not_hold(way: Way, name: str) -> None:
    change, check = CLAIMS[name]
    if change.get("iss") == "/":
        change = {"iss": way.wicked.url + "/"}
    way.wicked.claims = change
    assert await refused(way) == ("upstream-wrong", check)


def _rsa(w: Hostile) -> None:
    """A key of one kind, used as the other."""
    w.signer, w.header = w.rsa, {"alg": "RS256"}


def _hs_with_rsa(w: Hostile) -> None:
    w.keys = [w.rsa.as_dict(private=False)]
    w.confused(w.rsa)


SIGNED: dict[str, tuple[Change, str]] = {
    "not at all": (lambda w: w.header.update(alg="none"), "alg"),
    "with a public key as a secret": (lambda w: w.confused(w.key), "alg"),
    "with an RSA key as a secret": (_hs_with_rsa, "alg"),
    "with a key of another kind under a known id": (_rsa, "kid"),
    "with another key of the same id": (lambda w: setattr(w, "signer", w.other), "signature"),
    "with a key that nobody has": (lambda w: w.header.update(kid="made-up"), "kid"),
    "with an id that is an object": (lambda w: w.header.update(kid={"a": 1}), "kid"),
    "without an id where there are two keys": (
        lambda w: (
            w.header.update(kid=None),
            w.keys.append(w.other.as_dict(private=False) | {"kid": "two"}),
        ),
        "kid",
    ),
    "with a key for encryption": (
        lambda w: setattr(w, "keys", [w.key.as_dict(private=False) | {"use": "enc"}]), "kid",
    ),
    "with odd keys around": (
        lambda w: setattr(w, "keys", [1, {}, {"kty": "EC"}, {"use": ["sig"]}, {"kty": "oct", "k": "AA"}]),
        "kid",
    ),
    "with a header that wants something unknown": (
        lambda w: w.header.update(crit=["exp"], exp=1), "signature",
    ),
    "nothing": (lambda w: w.token.update(id_token="no.token"), "token-form"),
    "something sealed": (lambda w: w.token.update(id_token="a.b.c.d.e"), "token-form"),
    "a header that is a list": (lambda w: w.token.update(id_token="W10.e30.AA"), "token-form"),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNED)
async def test_a_token_signed(way: Way, name: str) -> None:
    change, check = SIGNED[name]
    change(way.wicked)
    assert await refused(way) == ("upstream-wrong", check)


DISCOVERED: dict[str, tuple[dict[str, Any], str]] = {
    "of another issuer": ({"issuer": "https://elsewhere.example"}, "discovery-issuer"),
    "without an issuer": ({"issuer": None}, "discovery"),
    "with an endpoint in the clear": (
        {"token_endpoint": "http://elsewhere.example/token"}, "discovery-addresses",
    ),
    "with an endpoint that is a file": ({"jwks_uri": "file:///etc/passwd"}, "discovery-addresses"),
    "with a script for an address": (
        {"authorization_endpoint": "javascript:alert(1)"}, "discovery-addresses",
    ),
    "with somebody in the address": (
        {"userinfo_endpoint": "https://user:word@elsewhere.example"}, "discovery-addresses",
    ),
    "without PKCE": ({"code_challenge_methods_supported": ["plain"]}, "discovery-pkce"),
    "without the code flow": ({"response_types_supported": ["id_token"]}, "discovery-code"),
    "with a number for an address": ({"token_endpoint": 7}, "discovery"),
}  # fmt: skip


@pytest.mark.parametrize("name", DISCOVERED)
async def test_metadata(way: Way, name: str) -> None:
    way.wicked.discovery, check = DISCOVERED[name]
    assert await refused(way) == ("upstream-wrong", check)


DISCOVERY = "/.well-known/openid-configuration"
ANSWERS: dict[str, tuple[str, Any, str, str | None]] = {
    "metadata too long": (DISCOVERY, (200, b" " * 140_000, {}), "upstream-away", None),
    "metadata from elsewhere": (
        DISCOVERY, (302, b"", {"location": "/elsewhere"}), "upstream-away", None,
    ),
    "metadata packed": (DISCOVERY, (200, b"x", {"content-encoding": "gzip"}), "upstream-away", None),
    "metadata that are none": (DISCOVERY, (200, b"<html>", {}), "upstream-wrong", "discovery"),
    "brackets without end": (DISCOVERY, (200, b"[" * 100_000, {}), "upstream-wrong", "discovery"),
    "no metadata": (DISCOVERY, (404, b"", {}), "upstream-away", None),
    "keys too long": ("/jwks", (200, b" " * 140_000, {}), "upstream-away", None),
    "keys that are none": ("/jwks", (200, b'{"keys": 7}', {}), "upstream-wrong", "jwks"),
    "token from elsewhere": ("/token", (307, b"", {"location": "/token2"}), "upstream-away", None),
    "token refused": (
        "/token", (400, b'{"error": "invalid_grant"}', {}), "upstream-refused", "invalid_grant",
    ),
    "token refused with a story": (
        "/token", (400, b'{"error": "<script>"}', {}), "upstream-refused", "unreadable",
    ),
    "token refused without a word": ("/token", (401, b"", {}), "upstream-refused", "unreadable"),
    "token failed": ("/token", (500, b"{}", {}), "upstream-away", None),
    "token without a token": (
        "/token", (200, b'{"access_token": "x"}', {}), "upstream-wrong", "token-answer",
    ),
    "userinfo of another": (
        "/userinfo", (200, b'{"sub": "another"}', {}), "upstream-wrong", "userinfo-sub",
    ),
    "userinfo of nobody": ("/userinfo", (200, b"{}", {}), "upstream-wrong", "userinfo-sub"),
    "userinfo as a token": ("/userinfo", (200, b"a.b.c", {}), "upstream-wrong", "userinfo"),
    "userinfo failed": ("/userinfo", (500, b"", {}), "upstream-away", None),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_that_is_none(way: Way, name: str) -> None:
    path, said, problem, check = ANSWERS[name]
    way.wicked.answers = {path: said}
    assert await refused(way) == (problem, check)
    assert "/elsewhere" not in way.wicked.asked
    assert "/token2" not in way.wicked.asked


async def test_a_token_of_another_type_than_bearer(way: Way) -> None:
    way.wicked.token = {"token_type": "DPoP"}
    assert await refused(way) == ("upstream-wrong", "token-type")


async def test_one_that_hangs_is_given_up(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "DEADLINE_S", 0.3)
    way.wicked.answers = {"/token": 30.0}
    began = time.monotonic()
    assert await refused(way) == ("upstream-away", None)
    assert time.monotonic() - began < 0.3 + STALL_S


async def test_one_that_is_down_is_not_asked_by_each(
    house: House, client: httpx.AsyncClient, wicked: Hostile
) -> None:
    wicked.right()
    down = Way(house, client, wicked, CIVICMALL_FEDERATION_ISSUER="http://127.0.0.1:9")
    assert await refused(down) == ("upstream-away", None)
    failing = Way(house, client, wicked)
    wicked.answers = {DISCOVERY: (500, b"", {})}
    for _ in range(5):
        assert await refused(failing) == ("upstream-away", None)
    assert wicked.asked == [DISCOVERY]


async def test_made_up_keys_make_us_ask_once(way: Way) -> None:
    await way.both()
    way.wicked.asked.clear()
    way.wicked.header = {"kid": "made-up"}
    for _ in range(5):
        assert await refused(way) == ("upstream-wrong", "kid")
    assert way.wicked.asked.count("/jwks") == 0, "the keys were fetched a moment ago"


async def test_a_new_key_is_found_after_a_while(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    await way.both()
    new = way.wicked.other.as_dict(private=False) | {"kid": "two"}
    way.wicked.keys = [way.wicked.key.as_dict(private=False), new]
    way.wicked.signer, way.wicked.header = way.wicked.other, {"kid": "two"}
    assert await refused(way) == ("upstream-wrong", "kid")
    monkeypatch.setattr(federation.upstream, "AGAIN_S", 0.0)
    assert (await way.both()).trouble == ""


async def test_states(way: Way) -> None:
    """Swapped, missing, of another upstream (mix-up, RFC 9207), and used twice."""
    one, two = await way.out(), await way.out()

    async def reason(flow: Flow, **change: Any) -> Any:
        with pytest.raises(federation.FlowBroken) as caught:
            await way.back(flow, **change)
        return caught.value.extra["reason"]

    before = await sessions(way.house)
    assert await reason(one, state=two.state) == "state"
    assert await reason(one, state="") == "state"
    assert await reason(one, state="中") == "state"
    assert await reason(one, iss="https://elsewhere.example") == "issuer"
    assert await reason(one, iss=None) == "issuer", "it announces iss, so it must be there"
    assert await sessions(way.house) == before
    assert (await way.back(two)).trouble == ""
    assert await reason(two) == "used"
    assert await sessions(way.house) == before + 1
    with pytest.raises(federation.UpstreamRefused) as caught:
        await way.back(one, error="access_denied", code="")
    assert caught.value.extra == {"error": "access_denied"}
    assert await reason(one) == "used", "a refusal is an answer, too"


async def test_an_issuer_that_was_not_announced_is_looked_at_all_the_same(way: Way) -> None:
    way.wicked.discovery = {"authorization_response_iss_parameter_supported": None}
    flow = await way.out()
    with pytest.raises(federation.FlowBroken):
        await way.back(flow, iss="https://elsewhere.example")
    assert (await way.back(flow, iss=None)).trouble == ""


async def test_of_two_that_come_back_at_once_one_is_signed_in(way: Way) -> None:
    flow = await way.out()
    before = await sessions(way.house)
    found = await asyncio.gather(*(way.back(flow) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(one, federation.FlowBroken) for one in found) == 4
    assert await sessions(way.house) == before + 1


async def test_a_flow_of_the_app_is_none_of_a_browser(way: Way) -> None:
    _, sealed = await federation.start(way.house, way.upstream, "app", "en")
    for said in (sealed, "", "AAAA", "中", sealed[:-4], sealed + "AAAA"):
        with pytest.raises(federation.FlowBroken):
            federation.opened(way.house, said, "web")


@pytest.mark.parametrize(
    "info",
    [
        {"phone_number_verified": "true"},
        {"phone_number_verified": 1},
        {"phone_number_verified": None},
        {"phone_number": "+1 212 555 0100"},
        {"phone_number": 13800138000},
        {"phone_number": "13800138000\n"},
        {"phone_number": None},
    ],
)
async def test_a_phone_that_is_not_verified_leads_nowhere(way: Way, info: dict[str, Any]) -> None:
    way.wicked.info |= info
    assert (await refused(way))[0] == "link-needed"


async def test_a_number_from_here_is_not_verified_there(way: Way) -> None:
    """An unverified number in the ID token, a verified other one in the userinfo: never mixed."""
    stranger = new_phone()
    way.wicked.claims = {"phone_number": "+86" + stranger}
    del way.wicked.info["phone_number"]
    assert (await refused(way))[0] == "link-needed"


async def test_a_phone_is_nothing_where_the_upstream_is_not_trusted_for_it(
    house: House, client: httpx.AsyncClient, wicked: Hostile, way: Way
) -> None:
    untrusted = Way(house, client, wicked, CIVICMALL_FEDERATION_TRUST="")
    assert (await refused(untrusted))[0] == "link-needed"
    assert "/userinfo" not in wicked.asked, "nothing is asked for that isn't used"
