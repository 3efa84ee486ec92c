"""Personal data is nowhere in the clear: not in the database, not in a log."""

from __future__ import annotations

import logging

import pytest
from structlog.testing import capture_logs
from tests.city import City
from tests.rooms.identity.steps import (
    another,
    code_for,
    refreshed,
    try_code,
    verified,
)

from civicmall.kernel import logs


async def _columns(city: City) -> list[tuple[str, str]]:
    rows = await city.house.db.fetch(
        "select table_name, column_name from information_schema.columns"
        " where table_schema = 'identity' and data_type in ('text', 'bytea', 'ARRAY', 'jsonb')"
        " order by 1, 2"
    )
    return [(row[0], row[1]) for row in rows]


async def _seen(city: City, needle: str) -> list[tuple[str, str]]:
    """The columns of this room that hold the text, in whatever encoding PostgreSQL shows."""
    found: list[tuple[str, str]] = []
    for table, column in await _columns(city):
        hit = await city.house.db.fetchval(
            f'select exists (select from identity."{table}" where'  # noqa: S608 (own columns)
            f' position($1 in "{column}"::text) > 0 or position($2 in "{column}"::text) > 0)',
            needle,
            needle.encode().hex(),
        )
        if hit:
            found.append((table, column))
    return found


async def test_nothing_personal_is_kept_or_logged_in_the_clear(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    person = (await city.people())["graduate"]
    phone, name, number = person["phone"], person["name"], person["id_number"]
    logs.configure(as_json=False)  # from info on, as in a city
    with capture_logs() as entries, caplog.at_level(logging.DEBUG):
        code = await code_for(city, phone)
        nobody = await city.anonymous()
        await try_code(nobody, phone, another(code))
        pair = (await try_code(nobody, phone, code)).json()
        client = await city.client(pair["access_token"])
        await verified(client, name, number[:-1] + "0")
        raised = (await verified(client, name, number)).json()
        client = await city.client(raised["access_token"])
        await client.put("/v1/me/facts", json={"facts": {"housing": "tenant"}})
        await client.put("/v1/me/consents/public_security/id_card", json={"claims": ["id_number"]})
        await client.get("/v1/shops/public_security/apps/id_card/progress")
        await refreshed(nobody, pair["refresh_token"])
        await refreshed(nobody, pair["refresh_token"][:-4] + "AAAA")
        await client.delete("/v1/me/session")
    logs.configure(as_json=False, level=logging.WARNING)
    assert entries

    secrets = (phone, name, number, code, pair["access_token"], pair["refresh_token"])
    logged = "\n".join(map(str, entries)) + caplog.text
    for secret in secrets:
        assert secret not in logged
        assert await _seen(city, secret) == []
    for fact in ("birth_date", "tenant", "2004-01-30"):
        assert all(column not in {"attested", "declared"} for _, column in await _seen(city, fact))

    # The search does find what is there: the reader's name in the list of who looked.
    assert ("audit", "reader") in await _seen(city, "public_security/id_card")


async def test_what_is_sealed_is_never_the_same_twice(city: City) -> None:
    rows = await city.house.db.fetch("select phone from identity.sandbox_message")
    assert len({row[0] for row in rows}) == len(rows)
