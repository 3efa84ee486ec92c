"""The app's decisions, without a server."""

from __future__ import annotations

import msgspec
import pytest

from civicmall.citizen_web import api_views, rules
from civicmall.payments import ChargeRef


@pytest.mark.parametrize(
    "path", ["/", "/me", "/services?stage=birth&after=x", "/shops/a/b#c", "/services?q=落户"]
)
def test_ways_on(path: str) -> None:
    assert rules.local(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "me", "//evil", "/\\evil", "\\/evil", "http://evil", "/a\\b", "/ /evil", "/\t/evil",
     "/a\nb", "/\x00", "/" + "a" * 500, " /me"],
)  # fmt: skip
def test_ways_out(path: str | None) -> None:
    assert rules.local(path) == "/"


def test_links_of_ours_become_paths() -> None:
    ours = "https://city.example"
    assert rules.after(f"{ours}/sandbox/cashier/1?token=a", ours) == "/sandbox/cashier/1?token=a"
    assert rules.after("https://bank.example/pay", ours) == "https://bank.example/pay"
    assert rules.after("https://city.example.evil/pay", ours) == "https://city.example.evil/pay"
    assert rules.after(f"{ours}//evil", ours) == "/"


def test_numbers_as_people_write_them() -> None:
    assert [rules.decimal(n) for n in (0, 5_000, 26_818, 1_234_500, -1_500)] == [
        "0", "5", "26.818", "1,234.5", "-1.5",
    ]  # fmt: skip
    assert [rules.price(n) for n in (261_000, 48_830, 2_400_000, 50, 123_456_789)] == [
        "2.61", "0.4883", "24.00", "0.0005", "1,234.56789",
    ]  # fmt: skip


def test_comparisons() -> None:
    assert rules.change(1, None) is None
    assert rules.change(1, 0) is None
    assert rules.change(35_698, 35_188) == rules.Change("more", "1.4")
    assert rules.change(0, 100) == rules.Change("less", "100")
    assert rules.change(100_001, 100_000) == rules.Change("same", "0")


def test_charges_travel_through_forms() -> None:
    refs = [ChargeRef("a_shop", "an_app", "X-1"), ChargeRef("a_shop", "an_app", "X-2")]
    carried = [rules.charge(r.shop, r.app, r.charge_id) for r in refs]
    assert rules.charges([*carried, carried[0]]) == refs
    for wrong in ("", "a", "a/b", "A/b/c", "a_a/b_b/../x", "a_a/b_b/c d", "a_a/b_b/c/d"):
        with pytest.raises(msgspec.ValidationError):
            rules.charges([wrong])
    assert rules.order_key("n", refs) == rules.order_key("n", reversed(refs))
    assert len({rules.order_key("n", refs), rules.order_key("n", refs[:1]),
                rules.order_key("m", refs)}) == 3  # fmt: skip


def test_facts_travel_through_forms() -> None:
    assert rules.fact("flag", "true") is True
    assert rules.fact("flag", "false") is False
    assert rules.fact("number", " 15 ") == 15
    assert rules.fact("number", "-1") == "-1"  # identity refuses it by name
    assert rules.fact("number", "²") == "²"
    assert rules.fact("date", "2026-11-24") == "2026-11-24"
    assert rules.fact("choice", "  ") is None


@pytest.mark.parametrize(("hour", "words"), [(4, "Good evening"), (5, "Good morning"),
                                             (11, "Good afternoon"), (18, "Good evening")])  # fmt: skip
def test_greetings(hour: int, words: str) -> None:
    assert rules.greeting(hour) == words


def test_the_reference_reads_a_document() -> None:
    ref = {"$ref": "#/components/schemas/Page_civicmall.x.models.Thing_"}
    maybe = {"oneOf": [{"type": "array", "items": ref}, {"type": "null"}]}
    found = api_views.reference({
        "info": {"title": "T", "version": "1"},
        "tags": [{"name": "first", "description": "D"}],
        "paths": {
            "/b": {"get": {"responses": {"200": {"content": {"application/json": {"schema": ref}}}}}},
            "/a": {"post": {
                "tags": ["first"], "summary": "Do", "security": [{"citizen": []}],
                "parameters": [{"name": "q", "in": "query", "required": True,
                                "schema": {"type": "integer", "maximum": 3.0}}],
                "requestBody": {"content": {"text/csv": {"schema": {"type": "string"}}}},
                "responses": {"404": {"description": "No such. (/problems/a); Not. (/problems/b)"}},
            }},
        },
        "components": {"schemas": {
            "Thing": {"required": ["x"], "properties": {
                "x": maybe, "y": {"enum": ["a", "b"]}, "z": {"const": 1}, "m": {
                    "type": "object", "additionalProperties": {"type": "string", "format": "date"},
                }}},
        }},
    })  # fmt: skip
    assert [group.name for group in found.groups] == ["first", "other"]
    call = found.groups[0].calls[0]
    assert (call.method, call.path, call.caller) == ("POST", "/a", "citizen")
    assert call.parameters[0].notes == "≤ 3"
    assert "".join(p.text for p in call.body) == "string (text/csv)"
    assert [p.type for p in call.answers[0].problems] == ["/problems/a", "/problems/b"]
    fields = found.nouns[0].fields
    assert ["".join(p.text for p in f.type) for f in fields] == [
        "array of Page of Thing or null", "a | b", "1", "map of string (date)",
    ]  # fmt: skip
    assert [f.required for f in fields] == [True, False, False, False]


def test_an_address_is_found_in_what_a_department_names() -> None:
    said = "国务院 · 2002-03-24 · https://www.gov.cn/a_1.htm"
    assert rules.web_address(said) == "https://www.gov.cn/a_1.htm"
    assert rules.web_address("见 https://x.cn/a，第二条") == "https://x.cn/a"
    assert rules.web_address("javascript:alert(1)") == ""
