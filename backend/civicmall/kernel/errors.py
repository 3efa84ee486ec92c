"""What can go wrong on purpose: one base class, one closed set per room (RFC 9457)."""

from __future__ import annotations

from typing import Any, ClassVar


class Problem(Exception):
    """A refusal with a stable `type`. Rooms subclass it; raising one is the only way to fail.

    `title` is an English message id, translated for the caller. `detail` and `extra` go into the
    body as they are, so they never carry personal data or secrets.
    """

    type: ClassVar[str] = "/problems/internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side."

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.extra = extra


class Internal(Problem):
    """An unforeseen fault of ours; the log has the rest under the same trace id."""


class BadRequest(Problem):
    """Not readable as what this address takes; `errors` names each wrong field."""

    type, status, title = "/problems/bad-request", 400, "The request can't be read."


class NotFound(Problem):
    """Nothing here, or nothing that the caller may see: no difference is shown."""

    type, status, title = "/problems/not-found", 404, "There is nothing here."


class MethodNotAllowed(Problem):
    """The address exists, the method doesn't."""

    type, status, title = "/problems/method-not-allowed", 405, "This method is not offered here."


class TooLarge(Problem):
    """The body passes the limit."""

    type, status, title = "/problems/body-too-large", 413, "The request is too large."


class UnsupportedMedia(Problem):
    """The body is of a kind that this address doesn't read."""

    type, status, title = "/problems/unsupported-media-type", 415, "Send JSON."


class Unavailable(Problem):
    """The database or another part of ours doesn't answer now; nothing was changed, or the
    same Idempotency-Key will tell.
    """

    type, status, title = "/problems/unavailable", 503, "The service is busy; try again soon."


class KeyMissing(Problem):
    """A POST that creates something needs an Idempotency-Key (draft-ietf-httpapi-idempotency-key)."""

    type, status, title = "/problems/idempotency-key-missing", 400, "Send an Idempotency-Key."


class KeyReused(Problem):
    """The same Idempotency-Key came with another body."""

    type, status, title = (
        "/problems/idempotency-key-reused",
        422,
        "This Idempotency-Key was used for another request.",
    )


class KeyRunning(Problem):
    """The first request with this Idempotency-Key is still being worked on."""

    type, status, title = (
        "/problems/idempotency-key-running",
        409,
        "The first request with this Idempotency-Key is still running.",
    )
