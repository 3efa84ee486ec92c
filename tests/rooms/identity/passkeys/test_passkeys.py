"""Passkeys: added, used, renamed and removed; who is told, and what the session keeps of it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec
import pytest
from tests.city import City
from tests.rooms.identity.passkeys.authenticator import BE, BS, UP, UV, raw
from tests.rooms.identity.passkeys.steps import (
    add,
    added,
    asked,
    device,
    long_ago,
    news,
    sign_in,
    signed_in,
    somebody,
)
from tests.rooms.identity.steps import new_phone, problem

from civicmall import identity
from civicmall.identity import passkeys
from civicmall.kernel import ids


async def test_a_passkey_is_added_and_signs_in_as_its_owner(city: City) -> None:
    mine = await somebody(city)
    key = device(city)
    answer = await add(mine, key, "  my phone ")
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["name"], made["synced"], made["set_aside"]) == ("my phone", False, False)
    assert made["last_used_at"] is None

    again = await signed_in(city, key)
    assert (await again.get("/v1/me")).json()["id"] == (await mine.get("/v1/me")).json()["id"]
    (listed,) = (await again.get("/v1/me/passkeys")).json()["items"]
    assert listed["last_used_at"] > made["created_at"]
    here = next(one for one in (await again.get("/v1/me/sessions")).json()["items"] if one["here"])
    assert here["amr"] == ["hwk", "mfa"]
    assert await news(city, mine) == ["new_device", "passkey_added"]


@pytest.mark.parametrize("alg", [-7, -8, -257])
async def test_every_kind_of_key_that_is_offered_works(city: City, alg: int) -> None:
    mine = await somebody(city)
    key = await added(city, mine, alg=alg)
    kinds = [one["alg"] for one in (await asked(mine))["public_key"]["pubKeyCredParams"]]
    assert alg in kinds
    for _ in range(2):
        await signed_in(city, key)


async def test_the_options_are_those_of_a_passkey(city: City) -> None:
    phone = new_phone()
    mine = await somebody(city, phone)
    first = await added(city, mine)
    found = (await asked(mine))["public_key"]
    assert found["rp"] == {"id": "localhost", "name": "CivicMall"}
    assert found["attestation"] == "none"
    assert found["authenticatorSelection"] == {
        "residentKey": "required", "requireResidentKey": True, "userVerification": "required",
    }  # fmt: skip
    (known,) = found["excludeCredentials"]
    assert (raw(known["id"]), known["type"]) == (first.id, "public-key")
    assert known["transports"] == ["hybrid", "internal"]
    assert len(raw(found["challenge"])) == 32
    assert found["user"]["name"] == f"{phone[:3]}****{phone[-4:]}"

    handle = raw(found["user"]["id"])
    citizen = (await mine.get("/v1/me")).json()["id"]
    assert len(handle) == 32
    assert handle[0] == ids.bucket_of(UUID(citizen))
    assert UUID(citizen).bytes not in handle
    assert phone.encode() not in handle
    nobodys = (await asked(await city.anonymous(), "/v1/sign-in/passkeys/options"))["public_key"]
    assert nobodys["allowCredentials"] == []
    assert (nobodys["userVerification"], nobodys["rpId"]) == ("required", "localhost")


async def test_a_passkey_is_renamed(city: City) -> None:
    mine, stranger = await somebody(city), await somebody(city)
    await added(city, mine)
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    assert one["name"] == city.house.clock.today().isoformat()
    path = f"/v1/me/passkeys/{one['id']}"
    answer = await mine.patch(path, json={"name": "老伴的手机"})
    assert (answer.status_code, answer.json()["name"]) == (200, "老伴的手机")
    assert problem(await stranger.patch(path, json={"name": "x"})) == (404, "no-such-passkey")
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    assert one["name"] == "老伴的手机"
    stored = await city.house.db.fetchval(
        "select name from identity.passkey where bucket = $1 and id = $2",
        *(ids.bucket_of(UUID(one["id"])), UUID(one["id"])),
    )
    assert "手机".encode() not in stored


async def test_a_removed_passkey_opens_nothing(city: City) -> None:
    mine, stranger = await somebody(city), await somebody(city)
    key = await added(city, mine)
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    path = f"/v1/me/passkeys/{one['id']}"
    assert problem(await stranger.delete(path)) == (404, "no-such-passkey")
    assert (await mine.delete(path)).status_code == 204
    assert problem(await mine.delete(path)) == (404, "no-such-passkey")
    assert problem(await sign_in(await city.anonymous(), key)) == (401, "passkey-refused")
    assert await news(city, mine) == ["passkey_removed", "passkey_added"]
    kinds = [one["kind"] for one in (await mine.get("/v1/me/audit")).json()["items"]]
    assert kinds[:2] == ["passkey_removed", "passkey_added"]
    assert (await add(mine, key)).status_code == 200, "its owner may add it anew"


async def test_who_signed_in_long_ago_signs_in_again_first(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    found = await asked(mine)
    late = {"ceremony": found["ceremony"], "credential": device(city).make(found["public_key"])}
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    await long_ago(city, mine)
    again = (403, "sign-in-again")
    assert problem(await mine.post("/v1/me/passkeys/options")) == again
    assert problem(await mine.post("/v1/me/passkeys", json=late)) == again
    assert problem(await mine.delete(f"/v1/me/passkeys/{one['id']}")) == again
    assert len((await mine.get("/v1/me/passkeys")).json()["items"]) == 1
    fresh = await signed_in(city, key)
    assert (await fresh.delete(f"/v1/me/passkeys/{one['id']}")).status_code == 204


async def test_there_is_a_most_even_for_many_at_once(city: City) -> None:
    mine = await somebody(city)
    for _ in range(passkeys.MOST - 2):
        await added(city, mine)
    answers = await asyncio.gather(*(add(mine, device(city)) for _ in range(5)))
    assert sorted(a.status_code for a in answers).count(200) <= 2
    while len((await mine.get("/v1/me/passkeys")).json()["items"]) < passkeys.MOST:
        await added(city, mine)
    key = device(city)
    answer = await add(mine, key)
    assert problem(answer) == (409, "too-many-passkeys")
    assert answer.json()["most"] == passkeys.MOST
    first = (await mine.get("/v1/me/passkeys")).json()["items"][0]
    assert (await mine.delete(f"/v1/me/passkeys/{first['id']}")).status_code == 204
    assert (await add(mine, key)).status_code == 200, "what was refused is nobody's"


async def test_a_synced_passkey_is_called_so_and_does_not_count(city: City) -> None:
    mine = await somebody(city)
    key = device(city)
    key.counts, key.flags = False, UP | UV | BE
    assert (await add(mine, key)).json()["synced"] is False
    for _ in range(2):
        assert (await sign_in(await city.anonymous(), key)).status_code == 200
    key.flags |= BS
    again = await signed_in(city, key)
    (one,) = (await again.get("/v1/me/passkeys")).json()["items"]
    assert one["synced"] is True
    here = next(one for one in (await again.get("/v1/me/sessions")).json()["items"] if one["here"])
    assert here["amr"] == ["swk", "mfa"]


async def test_a_device_that_signs_with_the_key_itself_is_taken(city: City) -> None:
    mine = await somebody(city)
    key = device(city)
    assert (await add(mine, key, fmt="packed")).status_code == 200
    await signed_in(city, key)


async def test_a_passkey_whose_counter_goes_back_is_set_aside_and_told(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    for _ in range(3):
        await signed_in(city, key)
    key.count -= 2  # a copy that was made before
    nobody = await city.anonymous()
    assert problem(await sign_in(nobody, key)) == (403, "passkey-set-aside")
    key.count += 10
    assert problem(await sign_in(nobody, key)) == (403, "passkey-set-aside"), "the other as well"
    (one,) = (await mine.get("/v1/me/passkeys")).json()["items"]
    assert one["set_aside"] is True
    assert (await news(city, mine))[0] == "passkey_set_aside"
    assert (await mine.delete(f"/v1/me/passkeys/{one['id']}")).status_code == 204


async def test_somebody_without_the_key_sets_nothing_aside(city: City) -> None:
    mine = await somebody(city)
    key = await added(city, mine)
    await signed_in(city, key)
    key.count -= 1
    nobody = await city.anonymous()

    def forge(sig: bytes) -> bytes:
        return sig[:1] + bytes(len(sig) - 1)

    forged = await sign_in(nobody, key, signature=forge)
    assert problem(forged) == (401, "passkey-refused")
    key.count += 5
    assert (await sign_in(nobody, key)).status_code == 200


async def test_staff_sign_in_by_their_own(city: City) -> None:
    """The same verbs; a citizen's passkey is none of staff's, and the other way round."""
    house, tokens = city.house, city.parts.tokens
    operator = await city.operator()
    staff = tokens.check(operator.headers["authorization"].partition(" ")[2])
    key = device(city)
    found = await passkeys.add_options(house, staff)
    ceremony, options = found.ceremony, msgspec.to_builtins(found.public_key)
    made = msgspec.convert(key.make(options), passkeys.Attestation)
    await passkeys.add(house, staff, passkeys.PasskeyAdd(ceremony, made, "desk"))

    asks = passkeys.options(house, "staff", "browser")
    answer = msgspec.convert(key.sign(msgspec.to_builtins(asks.public_key)), passkeys.Assertion)
    said = passkeys.PasskeySignIn(asks.ceremony, answer, "Chrome")
    with pytest.raises(passkeys.CeremonyOver):
        await passkeys.finish(house, tokens, "staff", said, browser="another")
    with pytest.raises(passkeys.CeremonyOver):
        await passkeys.finish(house, tokens, "citizen", said, browser="browser")
    pair = await passkeys.finish(house, tokens, "staff", said, browser="browser")
    who = tokens.check(pair.access_token)
    assert (who.staff_id, who.role) == (staff.staff_id, "operator")
    (one,) = await passkeys.mine(house, staff.staff_id)
    assert problem(await sign_in(await city.anonymous(), key)) == (401, "passkey-refused")
    again = await identity.signed_in(house.db, who.session_id)
    assert again is not None
    assert (again.kind, again.amr, again.recent) == ("staff", ["hwk", "mfa"], True)
    await passkeys.remove(house, who, one.id)
