"""How sure we are who somebody is: registers, faces, counters, and what each raises a level to."""

from __future__ import annotations

from . import counter, face
from .authority import Authority, FaceChoice, Faces, Register, SandboxAuthority
from .errors import (
    AuthorityAway,
    CounterRefused,
    FaceCheckFailed,
    FaceCheckOver,
    FaceCheckWaiting,
    FaceOfAnother,
    RealNameFirst,
    TooManyVerifications,
)
from .models import CounterCheck, CounterCode, CounterDone, FaceCheck
from .rules import ways
from .service import attest, forget, open_authority, verify

__all__ = [
    "Authority", "AuthorityAway", "CounterCheck", "CounterCode", "CounterDone", "CounterRefused",
    "FaceCheck", "FaceCheckFailed", "FaceCheckOver", "FaceCheckWaiting", "FaceChoice", "FaceOfAnother",
    "Faces", "RealNameFirst", "Register", "SandboxAuthority", "TooManyVerifications", "attest",
    "counter", "face", "forget", "open_authority", "verify", "ways",
]  # fmt: skip
