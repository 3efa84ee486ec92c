"""What a citizen agreed that others may know of them, by claim and purpose, and the giving of it.

A grantee is an app, `shop/app`, or an OpenID client, `client:<client_id>`. A purpose is a text, and its
zh-CN is part of what was agreed to: the same claim for another purpose is asked for anew (Personal
Information Protection Law, article 14).
"""

from __future__ import annotations

from .giving import give
from .models import Consent, ConsentAsk, Given, GivenClaim, PastConsent
from .routes import router
from .service import (
    agree,
    agreed,
    agreed_by_app,
    consent,
    consents,
    fill_purposes,
    give_consent,
    past,
    take_back,
    take_back_consent,
)

__all__ = [
    "Consent", "ConsentAsk", "Given", "GivenClaim", "PastConsent", "agree", "agreed", "agreed_by_app",
    "consent", "consents", "fill_purposes", "give", "give_consent", "past", "router", "take_back",
    "take_back_consent",
]  # fmt: skip
