"""Every parameter of every door of passkeys and devices: missing, doubled, too long, of the wrong type or case."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.passkeys.steps import added, asked, device, somebody
from tests.rooms.identity.steps import problem

BAD: Final = (400, "bad-request")
WRONG: Final[list[Any]] = [None, 7, True, [], {}, "", "with space", "ünïcode", "a+b/c=", "x\n"]
MEMBERS: Final = {
    "ceremony": 1_000, "credential.id": 1_364, "credential.rawId": 1_364, "credential.type": None,
    "credential.response.clientDataJSON": 4_096,
}  # fmt: skip
ADDING: Final = {**MEMBERS, "credential.response.attestationObject": 16_384}
ENTERING: Final = {
    **MEMBERS, "credential.response.authenticatorData": 4_096, "credential.response.signature": 2_048,
    "credential.response.userHandle": 86,
}  # fmt: skip
GONE: Final = object()


def changed(said: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The same with another value at a path; GONE takes it away, another case of its name is another."""
    found = msgspec.json.decode(msgspec.json.encode(said))
    at: Any = found
    *outer, name = path.split(".")
    for part in outer:
        at = at[part]
    if value is GONE:
        del at[name]
    else:
        at[name] = value
    return found


async def bodies(city: City, path: str) -> tuple[Any, dict[str, Any]]:
    """A client, and a body that would be taken."""
    mine = await somebody(city)
    if path.startswith("/v1/me"):
        found = await asked(mine)
        made = device(city).make(found["public_key"])
        return mine, {"ceremony": found["ceremony"], "credential": made, "name": "x"}
    key = await added(city, mine)
    found = await asked(mine, "/v1/sign-in/passkeys/options")
    made = key.sign(found["public_key"])
    return mine, {"ceremony": found["ceremony"], "credential": made, "device": "x"}


CASES: Final = [
    *(("/v1/me/passkeys", member, most) for member, most in ADDING.items()),
    *(("/v1/sign-in/passkeys", member, most) for member, most in ENTERING.items()),
]


@pytest.mark.parametrize(("path", "member", "most"), CASES)
async def test_a_member_that_is_not_as_it_should_be(
    city: City, path: str, member: str, most: int | None
) -> None:
    client, good = await bodies(city, path)
    outer, _, name = member.rpartition(".")
    moved = f"{outer}.{name.upper()}" if outer else name.upper()
    bad = [changed(good, member, value) for value in WRONG]
    bad += [changed(good, member, GONE), changed(changed(good, member, GONE), moved, "AAAA" * 8)]
    bad += [changed(good, member, "A" * (most + 1))] if most else []
    for body in bad:
        answer = await client.post(path, json=body)
        assert problem(answer) == BAD, (member, body)
    assert (await client.post(path, json=good)).status_code == 200


@pytest.mark.parametrize("path", ["/v1/me/passkeys", "/v1/sign-in/passkeys"])
async def test_a_body_that_is_none(city: City, path: str) -> None:
    client, good = await bodies(city, path)
    whole = msgspec.json.encode(good)
    for body in (b"", b"{", b"[]", b'"x"', whole[:-1], whole + b"}", b"\xff", b"[" * 5_000):
        answer = await client.post(path, content=body, headers={"content-type": "application/json"})
        assert problem(answer) == BAD, body[:20]
    huge = await client.post(path, json={**good, "more": "x" * (1 << 20)})
    assert problem(huge) == (413, "body-too-large")
    for field in ({"extra": 1}, {"owner": "x"}, {"name": "x" * 61, "device": "x" * 81}):
        assert problem(await client.post(path, json={**good, **field})) == BAD
    assert (await client.post(path, json=good)).status_code == 200


async def test_what_a_passkey_may_be_called(city: City) -> None:
    mine = await somebody(city)
    await added(city, mine)
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    path = f"/v1/me/passkeys/{one['id']}"
    for body in ({}, {"name": None}, {"name": 7}, {"name": ["x"]}, {"name": "x" * 61}, {"Name": "x"},
                 {"name": "a\0b"}, {"name": "a\nb"}, {"name": "a\n"}, {"name": "x", "kind": "staff"}):  # fmt: skip
        assert problem(await mine.patch(path, json=body)) == BAD, body
    assert (await mine.patch(path, json={"name": "字" * 60})).status_code == 200
    empty = await mine.patch(path, json={"name": "  "})
    assert empty.json()["name"] == city.house.clock.today().isoformat()


@pytest.mark.parametrize(
    "said",
    ["x", "1", "00000000", "../../v1/me", "%00", "' or 1=1", "0" * 300],
    ids=lambda s: s[:12],
)
async def test_an_id_that_is_none(city: City, said: str) -> None:
    mine = await somebody(city)
    for method, path in (("DELETE", "passkeys"), ("PATCH", "passkeys"), ("DELETE", "sessions")):
        body = {"name": "x"} if method == "PATCH" else None
        answer = await mine.request(method, f"/v1/me/{path}/{said}", json=body)
        assert answer.status_code in {400, 404, 405}, (method, path)
    assert (await mine.get("/v1/me")).status_code == 200


async def test_an_id_of_nothing(city: City) -> None:
    mine = await somebody(city)
    missing = (404, "no-such-passkey")
    for there in (uuid4(), str(uuid4()).upper()):
        assert problem(await mine.delete(f"/v1/me/passkeys/{there}")) == missing
        renamed = await mine.patch(f"/v1/me/passkeys/{there}", json={"name": "x"})
        assert problem(renamed) == missing
        assert (await mine.delete(f"/v1/me/sessions/{there}")).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me/passkeys"), ("POST", "/v1/me/passkeys"), ("POST", "/v1/me/passkeys/options"),
        ("PATCH", "/v1/me/passkeys/00000000-0000-7000-8000-000000000007"), ("DELETE", "/v1/me/passkeys/00000000-0000-7000-8000-000000000007"),
        ("DELETE", "/v1/me/sessions"),
    ],
)  # fmt: skip
async def test_a_citizens_doors_are_a_citizens(city: City, method: str, path: str) -> None:
    nobody, staff = await city.anonymous(), await city.operator()
    assert problem(await nobody.request(method, path, json={})) == (401, "sign-in-needed")
    assert problem(await staff.request(method, path, json={})) == (403, "not-allowed")
