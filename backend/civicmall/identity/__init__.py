"""The identity centre: who somebody is, how sure we are, and what they agreed to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from civicmall.kernel.jobs import Job

from . import sandbox
from .agreements import consent, consents, give, give_consent, take_back_consent
from .audit import accesses, note_access
from .browser import Kind, Visit, check_origin, cookies, own_forms, visit
from .devices import learn_ended, refresh, sessions, sign_out
from .errors import (
    CodeUsedUp,
    NotAllowed,
    NotInRegister,
    NumberTaken,
    SignInNeeded,
    TokenExpired,
    TokenInvalid,
    TooManyCodes,
    WrongCode,
    WrongPassword,
)
from .events import ConsentWithdrawn
from .guards import (
    citizen_only,
    operator_only,
    provide_caller,
    provide_staff,
    sandbox_only,
    staff_only,
)
from .levels import verify
from .models import (
    AccessRow,
    Caller,
    CodeSent,
    Consent,
    Profile,
    SandboxMessage,
    SandboxPerson,
    SessionView,
    SignIn,
    Staff,
    StaffSignIn,
    TokenPair,
    Verification,
)
from .people import declare, facts, profile, row
from .routes import routers
from .service import account, forget, sandbox_messages, send_code, sign_in
from .staff import add_staff, staff_sign_in
from .tokens import Tokens

if TYPE_CHECKING:
    from civicmall.kernel.house import House

EVENTS = (ConsentWithdrawn,)


def jobs(house: House, tokens: Tokens) -> list[Job]:
    """Learn of sessions that ended elsewhere; forget what is over."""
    return [
        Job("identity.ended", 2.0, lambda: learn_ended(house, tokens), everywhere=True),
        Job("identity.forget", 3600.0, lambda: forget(house)),
    ]


__all__ = [
    "EVENTS", "AccessRow", "Caller", "CodeSent", "CodeUsedUp", "Consent", "ConsentWithdrawn", "Kind", "NotAllowed",
    "NotInRegister", "NumberTaken", "Profile", "SandboxMessage", "SandboxPerson", "SessionView",
    "SignIn", "SignInNeeded", "Staff", "StaffSignIn", "TokenExpired", "TokenInvalid", "TokenPair",
    "Tokens", "TooManyCodes", "Verification", "Visit", "WrongCode", "WrongPassword", "accesses",
    "account", "add_staff", "check_origin", "citizen_only", "consent", "consents", "cookies",
    "declare", "facts", "forget", "give", "give_consent", "jobs", "learn_ended", "note_access",
    "operator_only", "own_forms", "profile", "provide_caller", "provide_staff", "refresh", "routers", "row",
    "sandbox", "sandbox_messages", "sandbox_only", "send_code", "sessions", "sign_in", "sign_out", "staff_only",
    "staff_sign_in", "take_back_consent", "verify", "visit",
]  # fmt: skip
