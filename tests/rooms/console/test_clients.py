"""The console's page of clients: one drafts, another approves, a secret is shown once."""

from __future__ import annotations

import json
import re

from tests.city import City
from tests.rooms.console.steps import signed_in
from tests.rooms.identity.provider.steps import registration


async def test_from_a_draft_to_its_end(city: City) -> None:
    asked = registration()
    path = f"/console/clients/{asked['client_id']}"
    async with signed_in(city, "operator") as one, signed_in(city, "reviewer") as other:
        assert "接入应用" in (await one.get("/console/clients")).text
        got = await one.post("/console/clients/draft", data={"registration": json.dumps(asked)})
        assert got.headers["location"] == "/console/clients?done=draft"
        page = (await one.get(got.headers["location"])).text
        assert "已起草" in page
        assert "打印在借书证上" in page
        assert f"{path}/approve" not in page, "no button for whoever drafted it"
        assert (await one.post(f"{path}/approve", data={"version": 1})).status_code == 403
        assert f"{path}/approve" in (await other.get("/console/clients")).text
        got = await other.post(f"{path}/approve", data={"version": 1})
        assert got.status_code == 303
        shown = (await other.post(f"{path}/secret")).text
        secret = re.findall(r"<code>([\w-]{43})</code>", shown)
        assert len(secret) == 1
        assert secret[0] not in (await other.get("/console/clients")).text
        assert (await one.post(f"{path}/retire")).status_code == 303
        assert path not in (await one.get("/console/clients")).text


async def test_what_can_not_be_drafted_is_told_with_what_was_typed(city: City) -> None:
    async with signed_in(city, "operator") as one:
        for said, status in (
            ("{", 400),
            (json.dumps(registration(redirect_uris=["http://x/"])), 422),
        ):
            got = await one.post("/console/clients/draft", data={"registration": said})
            assert got.status_code == status
            assert 'role="alert"' in got.text
        got = await one.post("/console/clients/nobody/retire")
        assert got.status_code == 404
        for left in ("draft", "nobody/approve", "nobody/retire", "nobody/secret"):
            got = await one.get(f"/console/clients/{left}")
            assert got.headers["location"] == "/console/clients"
    async with signed_in(city, "housing_fund") as agent:
        assert (await agent.get("/console/clients")).status_code == 403
        assert "/console/clients" not in (await agent.get("/console/")).text
