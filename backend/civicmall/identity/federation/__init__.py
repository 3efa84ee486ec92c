"""Signing in through an OpenID Provider above the city: a province's, or the national one."""

from __future__ import annotations

import os
from collections.abc import Mapping

import httpx
from msgspec import Struct

from civicmall.kernel.errors import NotFound
from civicmall.kernel.house import House

from .errors import (
    FlowBroken,
    LinkNeeded,
    LinkTaken,
    OtherPerson,
    TooManyLinks,
    UpstreamAway,
    UpstreamRefused,
    UpstreamWrong,
)
from .models import Back, Finished, Flow, UpstreamLink, UpstreamView
from .rules import FLOW_S, TICKET_S
from .service import agree, finish, links, opened, read_ticket, start, unlink
from .settings import set_up
from .upstream import Upstream


class Federation(Struct, frozen=True):
    """The upstream of this installation, if it has one."""

    upstream: Upstream | None

    def there(self) -> Upstream:
        """Raises NotFound."""
        if self.upstream is None:
            raise NotFound
        return self.upstream


def open_federation(
    house: House, client: httpx.AsyncClient, env: Mapping[str, str] | None = None
) -> Federation:
    """As the environment says. Raises BadSetting."""
    found = set_up(os.environ if env is None else env)
    return Federation(None if found is None else Upstream(house, client, *found))


__all__ = [
    "FLOW_S", "TICKET_S", "Back", "Federation", "Finished", "Flow", "FlowBroken", "LinkNeeded",
    "LinkTaken", "OtherPerson", "TooManyLinks", "Upstream", "UpstreamAway", "UpstreamLink",
    "UpstreamRefused", "UpstreamView", "UpstreamWrong", "agree", "finish", "links", "open_federation",
    "opened", "read_ticket", "start", "unlink",
]  # fmt: skip
