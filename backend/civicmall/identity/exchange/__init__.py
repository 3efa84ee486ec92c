"""Tokens for others, and the end of them: exchange, introspection, revocation, userinfo, logout."""

from __future__ import annotations

from . import end_session, introspect, logout, revoke, swap, userinfo
from .routes import routers

__all__ = ["end_session", "introspect", "logout", "revoke", "routers", "swap", "userinfo"]
