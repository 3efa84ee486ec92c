"""What can go wrong at the OpenID Provider. What OAuth's endpoints refuse with has a form of its own
(RFC 6749 section 5.2); operators get problems.
"""

from __future__ import annotations

import re
from typing import Any, Final

from litestar import Request, Response

from civicmall.kernel import logs
from civicmall.kernel.errors import Problem

log = logs.get("identity.provider")
NOT_SAID: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""What an error_description can't hold."""
PRIVATE: Final = {"cache-control": "no-store", "pragma": "no-cache"}
UNAUTHORIZED: Final = 401


class UnfitClient(Problem):
    """A client that can't be registered so; `errors` names each field."""

    type, status, title = "/problems/unfit-client", 422, "This client can't be registered so."


class NoSuchClient(Problem):
    """No client of this id is in force, or it has no secrets."""

    type, status, title = "/problems/no-such-client", 404, "There is no such client."


class ClientDraftMoved(Problem):
    """The version is no draft that waits: it was approved, or another took its place."""

    type, status, title = (
        "/problems/client-draft-moved",
        409,
        "This draft is not the one that waits.",
    )


class OAuthError(Exception):
    """A refusal by its registered name; the description is for the client's developer, in English,
    and never says what was sent.
    """

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = NOT_SAID.sub("?", description)
        self.status = status


class Unredirectable(OAuthError):
    """A refusal of an authorization request that must not go back to where it says: the client or
    its address is not what it should be (RFC 6749 section 4.1.2.1).
    """


def invalid_client(description: str = "client authentication failed") -> OAuthError:
    """The client is not who it says."""
    return OAuthError("invalid_client", description, UNAUTHORIZED)


def answer(_: Request[Any, Any, Any], refusal: OAuthError) -> Response[Any]:
    """The refusal as JSON."""
    body = {"error": refusal.error}
    if refusal.description:
        body["error_description"] = refusal.description
    headers = dict(PRIVATE)
    if refusal.status == UNAUTHORIZED:
        bearer = refusal.error == "invalid_token"
        scheme = f'Bearer realm="civicmall", error="{refusal.error}"' if bearer else None
        headers["WWW-Authenticate"] = scheme or 'Basic realm="civicmall"'
    log.info("oauth.refused", error=refusal.error, why=refusal.description)
    return Response(
        body, status_code=refusal.status, media_type="application/json", headers=headers
    )


HANDLERS: Final[dict[Any, Any]] = {OAuthError: answer}
