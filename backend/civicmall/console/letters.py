"""Pages of the events that were given up on; operators send them again."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from civicmall.kernel import ids, logs, outbox
from civicmall.kernel.errors import NotFound
from civicmall.kernel.http import decode_cursor
from civicmall.kernel.http import page as page_of

from . import rules
from .desk import Desk, go
from .forms import PAGE, Paged, Web, id_of, query
from .refuse import Html

log = logs.get("console")


@get("/dead-letters")
async def letter_list(request: Web, desk: NamedDependency[Desk]) -> Html:
    last = decode_cursor(query(request, Paged).after, UUID)
    rows = await outbox.dead(desk.house.db, PAGE + 1, last[0] if last else None, shop=desk.shop)
    found = page_of(rows, PAGE, lambda r: (r.id,))
    done = request.query_params.get("done")
    return desk.page(
        "letters.html", found=found, done={"again": True, "gone": False}.get(done or "")
    )


@post("/dead-letters/{letter:str}/replay")
async def replay(request: Web, letter: FromPath[str], operator: NamedDependency[Desk]) -> Html:
    event = id_of(letter, NotFound)
    again = await outbox.replay(operator.house.db, ids.bucket_of(event), event)
    if again:
        # The one record of who did it, so it is kept however quiet the log is set.
        log.warning("outbox.replayed", id=str(event), staff=str(operator.staff.staff_id))
        operator.house.hint()
    return go(request, rules.link("/console/dead-letters", done="again" if again else "gone"))


@get("/dead-letters/{letter:str}/replay")
async def letter_left(request: Web, letter: FromPath[str]) -> Html:
    """Whoever opens a form's address gets the page that it stands on."""
    id_of(letter, NotFound)
    return go(request, "/console/dead-letters")


handlers = [letter_list, replay, letter_left]
