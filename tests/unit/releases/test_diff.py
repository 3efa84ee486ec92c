"""What a release changes: nothing goes unseen, and what takes more of citizens stands first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from civicmall.releases.diff import KINDS, Change, Kind, changes
from shopkit import Claim, Fee, Manifest
from shopkit.contract.base import Text
from shopkit.manifest import Attests, Forms, Http, Limits, RawRoute

WORDS: Text = {"zh-CN": "改", "en": "changed"}


def with_app(manifest: Manifest, **parts: Any) -> Manifest:
    return replace(manifest, apps=[replace(manifest.apps[0], **parts)])


CASES: list[tuple[Kind, str, Callable[[Manifest], Manifest]]] = [
    ("claim_added", "phone", lambda m: with_app(
        m, claims=[*m.apps[0].claims, Claim("phone", WORDS)])),
    ("claim_removed", "id_number", lambda m: with_app(m, claims=[])),
    ("purpose_changed", "id_number", lambda m: with_app(m, claims=[Claim("id_number", WORDS)])),
    ("level_lowered", "min_level", lambda m: with_app(m, min_level=1)),
    ("level_raised", "min_level", lambda m: with_app(m, min_level=3)),
    ("account_changed", "settlement_account", lambda m: replace(m, settlement_account="other.one")),
    ("address_changed", "runtime", lambda m: replace(
        m, runtime=Http("https://elsewhere.example", "A" * 43))),
    ("key_changed", "key", lambda m: replace(
        m, runtime=Http("https://parking.example/shop", "B" * 43))),
    ("key_changed", "signature", lambda m: replace(
        m, runtime=replace(cast("Http", m.runtime), signature="hmac-sha256"))),
    ("department_changed", "department", lambda m: replace(m, department=WORDS)),
    ("egress_added", "spy.example", lambda m: replace(m, egress=["meters.example", "spy.example"])),
    ("egress_removed", "meters.example", lambda m: replace(m, egress=[])),
    ("attests_added", "has_vehicle", lambda m: replace(
        m, attests=[*m.attests, Attests("has_vehicle", WORDS)])),
    ("attests_changed", "moved_on", lambda m: replace(m, attests=[Attests("moved_on", WORDS)])),
    ("attests_removed", "moved_on", lambda m: replace(m, attests=[])),
    ("raw_added", "POST /map", lambda m: with_app(
        m, raw=[*m.apps[0].raw, RawRoute("POST", "/map")])),
    ("raw_changed", "GET /map", lambda m: with_app(m, raw=[RawRoute("GET", "/map", 1)])),
    ("raw_removed", "GET /map", lambda m: with_app(m, raw=[])),
    ("fee_added", "fines.more", lambda m: with_app(
        m, fees=[*m.apps[0].fees, Fee("fines.more", WORDS, WORDS)])),
    ("fee_changed", "fines.fee", lambda m: with_app(m, fees=[Fee("fines.fee", WORDS, WORDS)])),
    ("fee_removed", "fines.fee", lambda m: with_app(m, fees=[])),
    ("app_added", "permits", lambda m: replace(
        m, apps=[*m.apps, replace(m.apps[0], id="permits", claims=[], fees=[], raw=[])])),
    ("app_removed", "fines", lambda m: replace(m, apps=[])),
    ("capability_added", "progress", lambda m: with_app(
        m, capabilities=["bills", "raw", "enquire", "progress"])),
    ("capability_removed", "raw", lambda m: with_app(m, capabilities=["bills", "enquire"])),
    ("form_changed", "enquire", lambda m: with_app(m, forms=Forms())),
    ("limits_changed", "timeout_ms", lambda m: replace(m, limits=Limits(timeout_ms=9_000))),
    ("webhooks_changed", "webhooks", lambda m: replace(m, webhooks=None)),
    ("contract_changed", "contract", lambda m: replace(m, contract=1)),
    ("contacts_changed", "contacts", lambda m: replace(
        m, contacts=replace(m.contacts, phone="54321"))),
    ("other_changed", "summary", lambda m: replace(m, summary=WORDS)),
    ("other_changed", "cache_seconds", lambda m: with_app(m, cache_seconds=60)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "change"), CASES, ids=[f"{k}-{n}" for k, n, _ in CASES])
def test_each_change_is_told_and_nothing_else(
    manifest: Manifest, kind: Kind, name: str, change: Any
) -> None:
    (found,) = changes(manifest, change(manifest))
    assert (found.kind, found.name) == (kind, name)


def test_every_kind_has_its_case() -> None:
    assert {kind for kind, _, _ in CASES} == set(KINDS)


def test_a_version_alone_changes_nothing(manifest: Manifest) -> None:
    assert changes(manifest, replace(manifest, version="1.0.1")) == []


def test_a_new_claim_comes_first_with_its_purpose(manifest: Manifest) -> None:
    after = with_app(
        replace(manifest, summary=WORDS, egress=["spy.example"]),
        claims=[*manifest.apps[0].claims, Claim("phone", WORDS)],
        min_level=1,
    )
    found = changes(manifest, after)
    assert [c.kind for c in found] == sorted((c.kind for c in found), key=KINDS.index)
    assert (found[0].kind, found[0].app, found[0].purpose) == ("claim_added", "fines", WORDS)
    assert [c.weight for c in found] == ["grave", "grave", "grave", "plain", "plain"]


def test_of_a_first_release_everything_that_it_asks_for_is_new(manifest: Manifest) -> None:
    found = changes(None, manifest)
    assert [c.kind for c in found] == [
        "claim_added", "attests_added", "address_changed", "key_changed", "egress_added", "raw_added",
        "fee_added", "app_added",
    ]  # fmt: skip
    assert found[0].purpose == {"zh-CN": "to find your cars", "en": "to find your cars"}


def test_a_claim_of_a_new_app_stands_out_too(manifest: Manifest) -> None:
    more = replace(manifest.apps[0], id="permits")
    found = changes(manifest, replace(manifest, apps=[*manifest.apps, more]))
    assert (found[0].kind, found[0].app, found[0].name) == ("claim_added", "permits", "id_number")


def leaves(part: object, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in plain data."""
    if isinstance(part, dict):
        members = cast("dict[str, object]", part)
        return [path for key, value in members.items() for path in leaves(value, (*at, key))]
    if isinstance(part, list):
        elements = cast("list[object]", part)
        return [path for i, value in enumerate(elements) for path in leaves(value, (*at, i))]
    return [at]


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return f"{value}x" if isinstance(value, str) else value


@given(data=st.data())
def test_no_value_changes_unseen(manifest: Manifest, data: st.DataObject) -> None:
    said = msgspec.to_builtins(manifest)
    path = data.draw(st.sampled_from([p for p in leaves(said) if p not in {("id",), ("version",)}]))
    part = said
    for key in path[:-1]:
        part = part[key]
    before = part[path[-1]]
    part[path[-1]] = other(before)
    try:
        after = msgspec.convert(said, Manifest)
    except msgspec.ValidationError:
        return  # a value that no manifest can have
    found: list[Change] = changes(manifest, after)
    assert bool(found) == (part[path[-1]] != before), path
