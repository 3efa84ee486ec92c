"""The doors of the releases, over HTTP and from a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from tests.city import City
from tests.rooms.releases.steps import KEY, URL, passed, said
from tests.workshop import build, unique

from civicmall import identity

REASON = {"note": "because"}


async def staff(city: City, username: str, shop: str | None = None) -> httpx.AsyncClient:
    """A new account, signed in."""
    role: Any = "manager" if shop else "operator"
    await identity.add_staff(city.house, username, "sandbox-only", username, role, shop)
    return await city.department(username)


def body(shop: str, **more: Any) -> dict[str, Any]:
    return {"manifest": said(shop, **more), "report": msgspec.to_builtins(passed("permits"))}


def key() -> dict[str, str]:
    return {"idempotency-key": f"{uuid4()}"}


async def test_from_the_department_to_all_citizens_and_back(city: City) -> None:
    shop = unique("shop")
    author, publisher = await staff(city, shop, shop), await staff(city, unique("op"))
    reader, citizen = await city.operator(), await city.citizen("graduate")
    made = await author.post("/v1/desk/releases", json=body(shop), headers=key())
    assert made.status_code == 201, made.text
    home = f"/v1/desk/releases/{made.json()['id']}"
    assert (await author.get(home)).json()["changes"][0]["kind"] == "claim_added"

    assert (await reader.post(f"{home}/approve", json={})).json()["release"]["state"] == "approved"
    own = await reader.post(f"{home}/publish", json={})
    assert (own.status_code, own.json()["type"]) == (403, "/problems/four-eyes")
    assert (await citizen.get(f"/v1/shops/{shop}")).status_code == 404
    share = await publisher.post(f"{home}/canary", json={"percent": 10})
    assert share.json()["release"]["percent"] == 10
    live = await publisher.post(f"{home}/publish", json={"note": "go"})
    assert [s["move"] for s in live.json()["steps"]] == ["submit", "approve", "canary", "publish"]
    assert (await citizen.get(f"/v1/shops/{shop}")).json()["id"] == shop

    nothing = await reader.post(f"{home}/rollback", json=REASON)
    assert (nothing.status_code, nothing.json()["type"]) == (409, "/problems/nothing-before")
    assert (await reader.post(f"{home}/suspend", json=REASON)).status_code == 200
    assert (await citizen.get(f"/v1/shops/{shop}")).json()["state"] == "recovering"
    assert (await reader.post(f"{home}/resume", json={})).status_code == 200
    assert (await reader.post(f"{home}/retire", json=REASON)).status_code == 200
    late = await publisher.post(f"{home}/publish", json={})
    assert (late.status_code, late.json()["state"]) == (409, "retired")


async def test_each_door_is_for_whom_it_is_for(city: City) -> None:
    shop = unique("shop")
    author = await staff(city, shop, shop)
    made = (await author.post("/v1/desk/releases", json=body(shop), headers=key())).json()
    home = f"/v1/desk/releases/{made['id']}"
    for move in ("approve", "reject", "canary", "publish", "rollback", "suspend", "resume", "retire"):  # fmt: skip
        answer = await author.post(f"{home}/{move}", json={"note": "x", "percent": 1})
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    nobody, citizen = await city.anonymous(), await city.citizen("graduate")
    for client, status in ((nobody, 401), (citizen, 403)):
        assert (await client.get(home)).status_code == status
        assert (await client.post("/v1/desk/releases", json=body(shop), headers=key())).status_code == status  # fmt: skip
    other = await city.department("utility_bills")
    assert (await other.get(home)).status_code == 404
    foreign = await other.post("/v1/desk/releases", json=body(shop), headers=key())
    assert (foreign.status_code, foreign.json()["type"]) == (403, "/problems/not-your-shop")
    listed = (await other.get("/v1/desk/releases", params={"shop": shop})).json()
    assert listed == {"items": [], "next": None}


async def test_what_is_wrong_is_named(city: City) -> None:
    shop = unique("shop")
    author = await staff(city, shop, shop)

    async def refused(ask: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
        answer = await author.post("/v1/desk/releases", json=ask, headers=headers or key())
        return answer.status_code, answer.json()

    status, problem = await refused(body(shop, contract=99))
    assert (status, problem["type"], problem["key"]) == (
        422,
        "/problems/bad-manifest",
        "$.contract",
    )
    assert "contract" in problem["detail"]
    failing = body(shop) | {"report": [{"check": "clock", "app": "permits", "result": "failed"}]}
    status, problem = await refused(failing)
    assert (status, problem["type"]) == (422, "/problems/report-failed")
    assert problem["failed"] == ["clock: permits", "no check passed: permits"]
    assert (await refused(body(shop) | {"report": []}))[0] == 400
    assert (await refused(body(shop) | {"manifest": []}))[0] == 400
    nested: Any = 1
    for _ in range(300):
        nested = {"n": nested}
    assert (await refused(body(shop) | {"manifest": nested}))[0] == 422
    nul = body(shop, summary={"zh-CN": "a\0b"})
    assert (await refused(nul))[0] == 400
    status, problem = await refused(body(shop, icon="x" * 300_000))
    assert (status, problem["key"]) == (422, "$")
    reader = await city.operator()
    some = "/v1/desk/releases/01a20fa4-0389-75e7-a514-6944de78c0d3"
    assert (await reader.post(f"{some}/reject", json={"note": "  "})).status_code == 400
    assert (await reader.post(f"{some}/canary", json={"percent": 0})).status_code == 400
    assert (await reader.post(f"{some}/approve", json={})).status_code == 404
    assert (await reader.get("/v1/desk/releases", params={"state": "lost"})).status_code == 400


SILENT = "http://127.0.0.1:1"
"""Nobody listens there."""


async def civicmall(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command, as in a terminal."""
    return await asyncio.to_thread(
        subprocess.run,
        [Path(sys.executable).with_name("civicmall"), "shop", *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CIVICMALL_PASSWORD": "sandbox-only", "COLUMNS": "200", **env},
    )


async def test_from_a_terminal(city: City, tmp_path: Path) -> None:
    shop, second = unique("shop"), unique("op")
    await staff(city, shop, shop)
    await staff(city, second)
    manifest = said(shop) | {"runtime": "python"}
    build(tmp_path, manifest, "\nshop = None\n")
    report = tmp_path / "report.json"
    report.write_bytes(msgspec.json.encode(passed("permits")))
    folder = str(tmp_path / shop)
    here = ("--platform", city.url, "--username")

    homeless = await civicmall("submit", folder, *here, shop)
    assert homeless.returncode == 1
    assert "shop.json names no address: say --url and --key" in homeless.stdout
    keyless = await civicmall(
        "submit", folder, "--url", URL, *here, shop, CIVICMALL_DATA=str(tmp_path)
    )
    assert keyless.returncode == 1
    assert f"no key of {shop} lies in {tmp_path / 'shops'}" in keyless.stdout
    asleep = await civicmall("submit", folder, "--url", SILENT, "--key", KEY, *here, shop)
    assert asleep.returncode == 1
    assert f"GET {SILENT}/.well-known/civicmall-shop: ConnectError" in asleep.stdout
    assert "the checks are made on the running shop" in asleep.stdout
    assert not asleep.stderr, "a trace instead of a sentence"
    where = ("--url", URL, "--key", KEY, "--report", str(report))
    stranger = await civicmall("submit", folder, *where, *here, shop, CIVICMALL_PASSWORD="wrong")
    assert stranger.returncode == 1
    assert "Account or password is not right." in stranger.stdout
    made = await civicmall("submit", folder, *where, *here, shop)
    assert made.returncode == 0, made.stdout + made.stderr
    assert f"{shop} 1.0.0 waits for review: " in made.stdout
    release = made.stdout.split()[-1]
    again = await civicmall("submit", folder, *where, *here, shop)
    assert again.returncode == 1
    assert "The version must be a higher one: version 1.0.0: highest 1.0.0" in again.stdout

    for who, step, told in (
        (["operator"], ["approve", release], "is approved"),
        ([second], ["canary", release, "--percent", "20"], "is canary"),
    ):
        done = await civicmall("step", *step, *here, *who)
        assert (done.returncode, told in done.stdout) == (0, True), done.stdout
    own = await civicmall("step", "publish", release, *here, "operator")
    assert (own.returncode, "This step is for a second person." in own.stdout) == (1, True)
    listed = await civicmall("releases", *here, shop)
    assert listed.stdout.split() == [release, shop, "1.0.0", "canary", "20%"]
    odd = await civicmall("step", "explode", release, *here, "operator")
    assert odd.returncode == 2
    away = await civicmall("releases", "--platform", "http://127.0.0.1:9", "--username", shop)
    assert (away.returncode, "ConnectError" in away.stdout) == (1, True)
    assert json.loads((tmp_path / shop / "shop.json").read_text())["runtime"] == "python"
