"""Nothing is open by omission, and nothing is refused without a name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
from litestar.handlers import HTTPRouteHandler

from civicmall import app, identity
from civicmall.kernel import http
from civicmall.kernel.config import Settings
from civicmall.kernel.errors import Problem
from civicmall.shops import Registry

GUARDS: Final = {
    http.public.__name__: "anybody, by decision",
    "sandbox_only": "anybody, where everything is synthetic",
    identity.citizen_only.__name__: "a signed-in citizen",
    identity.enrolling_too.__name__: "staff, also before they set up their second factor",
    identity.staff_only.__name__: "anybody who works here",
    identity.working_only.__name__: "an operator or a department, no auditor",
    identity.operator_only.__name__: "an operator",
    identity.overseer_only.__name__: "an operator or an auditor",
    identity.deciding_only.__name__: "an operator or a department's manager",
    identity.manager_only.__name__: "a department's manager",
}
AUTOMATIC: Final = {"options_handler"}
"""Made by Litestar for each path; it inherits the path's guards and tells nothing."""


@pytest.fixture(scope="module")
def doors(registry: Registry) -> list[tuple[str, HTTPRouteHandler]]:
    """Method and path, and who answers there."""
    settings = Settings.from_env({}, database_url="postgresql:///unused")
    routes: Any = app.create_app(settings, registry).app.routes
    return [
        (f"{method} {route.path}", handler)
        for route in routes
        for handler in route.route_handlers
        if isinstance(handler, HTTPRouteHandler)
        for method in sorted(handler.http_methods)
    ]


def guards(handler: HTTPRouteHandler) -> set[str]:
    untyped: Any = handler
    return {getattr(guard, "__name__", "") for guard in untyped.resolve_guards()}


def test_every_door_has_a_guard(doors: list[tuple[str, HTTPRouteHandler]]) -> None:
    assert [door for door, handler in doors if not guards(handler) & GUARDS.keys()] == []


def test_every_door_of_the_api_says_what_it_is_for(
    doors: list[tuple[str, HTTPRouteHandler]],
) -> None:
    spoken = [(door, h) for door, h in doors if getattr(h.fn, "__name__", "") not in AUTOMATIC]
    api = [(door, h) for door, h in spoken if h.resolve_include_in_schema()]
    assert len(api) > 20
    assert [door for door, h in api if not h.summary] == []
    assert [door for door, h in api if not set(h.resolve_tags()) & app.TAGS.keys()] == []


def test_what_creates_takes_a_key(doors: list[tuple[str, HTTPRouteHandler]]) -> None:
    """A POST that answers 201 made something: done twice, it must be done once."""
    without = [
        door
        for door, handler in doors
        if door.startswith("POST /v1/")
        and handler.status_code == 201
        and not any(
            getattr(p.kwarg_definition, "name", None) == "Idempotency-Key"
            for p in handler.parsed_fn_signature.parameters.values()
        )
    ]
    assert without == []


def kinds(of: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for kind in of.__subclasses__():
        if kind.__module__.startswith("civicmall."):
            yield kind
        yield from kinds(kind)


PROBLEMS: Final = sorted(set(kinds()), key=lambda kind: (kind.__module__, kind.__name__))


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.__name__)
def test_a_problem_is_stable_and_its_rooms_own(kind: type[Problem]) -> None:
    assert re.fullmatch(r"/problems/[a-z]+(-[a-z]+)*", kind.type)
    assert 400 <= kind.status <= 599
    assert kind.title.endswith(".")
    assert kind.__doc__, "when it is raised"
    assert kind.__module__.endswith(".errors"), "each room's are a closed set"


def test_no_two_problems_share_a_type() -> None:
    types = Counter(kind.type for kind in PROBLEMS)
    assert [name for name, times in types.items() if times > 1] == []
