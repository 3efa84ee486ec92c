"""What the framework would do with a task each is done in a row."""

from __future__ import annotations

from pathlib import Path

from litestar.routes import HTTPRoute

from civicmall import app
from civicmall.kernel.config import Settings
from civicmall.shops import Registry


def test_a_handlers_dependencies_are_looked_up_one_by_one() -> None:
    made = app.create_app(Settings(database_url="", data_dir=Path()), Registry([]))
    batches = [
        len(batch)
        for route in made.app.routes
        if isinstance(route, HTTPRoute)
        for _, model in route.route_handler_map.values()
        for batch in model.dependency_batches
    ]
    assert len(batches) > 100
    assert set(batches) == {1}
