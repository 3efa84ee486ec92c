"""Passkeys (Web Authentication Level 3): to sign in without code or password.

A passkey belongs to the domain of the public address, is found by the device without a name, and verifies
its user: possession and PIN or finger in one step, which no other site can ask for.
"""

from __future__ import annotations

from civicmall.kernel.web import Assets

from .errors import (
    CeremonyOver,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeyNotTaken,
    PasskeyRefused,
    PasskeySetAside,
    PasskeysNotOffered,
    TooManyPasskeys,
)
from .models import (
    AddAsked,
    Assertion,
    Attestation,
    Passkey,
    PasskeyAdd,
    PasskeyName,
    PasskeyRename,
    PasskeySignIn,
    SignInAsked,
)
from .rules import MOST, NAME_MAX
from .service import (
    add,
    add_options,
    finish,
    forget,
    mine,
    offered,
    options,
    proved,
    release,
    remove,
    rename,
    where,
)

assets = Assets(__file__, "/static/identity")
"""The script for the browser's dialog, which every web room's pages load."""

__all__ = [
    "MOST",
    "NAME_MAX",
    "AddAsked",
    "Assertion",
    "Attestation",
    "CeremonyOver",
    "NoSuchPasskey",
    "Passkey",
    "PasskeyAdd",
    "PasskeyKnown",
    "PasskeyName",
    "PasskeyNotTaken",
    "PasskeyRefused",
    "PasskeyRename",
    "PasskeySetAside",
    "PasskeySignIn",
    "PasskeysNotOffered",
    "SignInAsked",
    "TooManyPasskeys",
    "add",
    "add_options",
    "assets",
    "finish",
    "forget",
    "mine",
    "offered",
    "options",
    "proved",
    "release",
    "remove",
    "rename",
    "where",
]  # fmt: skip
