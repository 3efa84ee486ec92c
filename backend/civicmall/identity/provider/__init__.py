"""The OpenID Provider: signing in at shops and partners with an account of the city."""

from __future__ import annotations

from . import (
    answering,
    clients,
    errors,
    forms,
    grants,
    handles,
    issuing,
    keys,
    registering,
    requests,
    token,
)
from .clients import authenticate, find
from .errors import OAuthError, Unredirectable
from .models import OIDC, SCOPES, Access, Client, Grant, Registration, Ticket
from .routes import routers
from .subjects import sid, subject

__all__ = [
    "OIDC", "SCOPES", "Access", "Client", "Grant", "OAuthError", "Registration", "Ticket", "Unredirectable", "answering",
    "authenticate", "clients", "errors", "find", "forms", "grants", "handles", "issuing", "keys", "registering", "requests", "routers", "sid",
    "subject", "token",
]  # fmt: skip
