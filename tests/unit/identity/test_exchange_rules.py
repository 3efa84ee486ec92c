"""Which capabilities a mini-app's token gets, and where a browser goes after a logout."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civicmall.identity.errors import NotAllowed, TokenInvalid
from civicmall.identity.exchange import rules
from civicmall.identity.models import Caller
from civicmall.identity.narrow import DOORS, within
from civicmall.kernel import ids

CAPABILITIES = sorted(DOORS | {"apply"})
some = st.lists(st.sampled_from(CAPABILITIES), unique=True)


@given(some)
def test_without_a_wish_it_gets_what_has_doors(capabilities: list[str]) -> None:
    assert rules.narrowed(None, capabilities) == DOORS & {*capabilities}


@given(some, some)
def test_a_wish_only_narrows(capabilities: list[str], asked: list[str]) -> None:
    found = rules.narrowed(" ".join(asked), capabilities)
    if asked and {*asked} <= DOORS & {*capabilities}:
        assert found == {*asked}
    else:
        assert found is None


@given(st.text())
def test_no_text_gets_more(asked: str) -> None:
    found = rules.narrowed(asked, CAPABILITIES)
    assert found is None or found <= DOORS


@given(st.text())
def test_an_audience_is_two_names(said: str) -> None:
    found = rules.shop_and_app(said)
    assert found is None or "/".join(found) == said


@pytest.mark.parametrize("said", ["a/b", "shop/app\n", "shop//app", "Shop/app", "shop/app/x", ""])
def test_what_is_no_audience(said: str) -> None:
    assert rules.shop_and_app(said) is None


@given(
    st.sampled_from(["https://a.example/bye", "https://a.example/bye?x=1", "com.example.app:/bye"]),
    st.text(min_size=1).filter(str.isprintable),
)
def test_the_way_back_is_the_address_and_the_state(uri: str, state: str) -> None:
    there = rules.with_query(uri, {"state": state})
    assert there.startswith(uri)
    assert there.isascii()
    before, after = (parse_qs(urlsplit(one).query) for one in (uri, there))
    assert after == before | {"state": [state]}
    assert urlsplit(there).netloc == urlsplit(uri).netloc


def test_only_an_apps_token_is_bound() -> None:
    citizen = Caller(ids.new(1), ids.new(1), 1)
    within(citizen, "any", "app", "bills")
    mine = Caller(ids.new(1), ids.new(1), 1, app="shop/app", scope=frozenset({"bills"}))
    within(mine, "shop", "app", "bills")
    for shop, app in (("shop", "other"), ("other", "app"), ("", "shop/app"), ("shop/app", "")):
        with pytest.raises(TokenInvalid):
            within(mine, shop, app, "bills")
    with pytest.raises(NotAllowed):
        within(mine, "shop", "app", "raw")
