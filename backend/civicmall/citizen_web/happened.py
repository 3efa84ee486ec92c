"""What a line of the citizen's audit says, in their words. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from civicmall import identity
from civicmall.kernel.i18n import translate

from . import words

KINDS: Final[dict[identity.audit.Kind, str]] = {
    "read": "Somebody looked at your data",
    "sign_in": "You signed in",
    "sign_out": "You signed out",
    "sign_out_others": "All other devices were signed out",
    "copied": "A sign-in was ended, for its key was used twice",
    "level": "Your real-name level changed",
    "consent_given": "You agreed that somebody may know something",
    "consent_taken_back": "You took a consent back",
    "client_sign_in": "You signed in somewhere with your account of the city",
    "delegation_invited": "You asked somebody about acting for each other",
    "delegation_given": "You let somebody act for you",
    "delegation_received": "You may act for somebody",
    "delegation_ended": "Somebody's right to act for you ended",
    "delegation_lost": "Your right to act for somebody ended",
    "acting": "Somebody began to act for you",
    "acted": "You began to act for somebody",
    "passkey_added": "A passkey was added",
    "passkey_removed": "A passkey was removed",
    "passkey_set_aside": "A passkey was set aside, for it may have been copied",
    "linked": "An account elsewhere was connected",
    "unlinked": "An account elsewhere was taken away",
    "facts": "Facts about you changed",
    "fact_switched": "What recommendations may look at changed",
    "objection": "You objected to something that is attested of you",
    "objection_taken_back": "You took an objection back",
    "objection_answered": "Your objection to a fact was answered",
    "reading_objected": "You objected to a reading of your data",
    "reading_answered": "Your objection to a reading was answered",
    "export": "Your data was exported",
    "deletion": "Your account was deleted",
}
WHAT: Final[dict[str, str]] = {
    "level_2": "Level 2: real name",
    "level_3": "Level 3: in person",
    "register": "by the register",
    "upstream": "through another account",
    "face": "by your face",
    "counter": "at a counter",
    "switched_on": "may be used for recommendations",
    "switched_off": "not for recommendations",
    "life_event": "What happened in my life",
    "kept": "it stays",
    "withdrawn": "it was withdrawn",
    "asked": "asked for",
    "done": "done",
}
"""What a line is more closely about, where it is no claim and no attribute."""
OF_LINE: Final = ("reading_objected", "reading_answered")
NOT_READERS: Final = ("objection", "objection_taken_back", "objection_answered")
"""Kinds whose `reader` is whoever attested something."""


def details(
    line: identity.audit.AuditLine, labels: Mapping[str, str], lang: str
) -> str:  # fmt: skip
    """What a line is about, in one line of words; `labels` are attributes by name. Empty: nothing more."""
    if line.kind in OF_LINE:
        return translate(lang, "entry {n}", n=line.purpose)
    if line.kind == "sign_in":
        how = next((way for way in words.SIGNED_IN_BY if way in line.claims), None)
        if how is not None:
            return translate(lang, words.SIGNED_IN_BY[how])
    return translate(lang, ", ").join(_word(one, labels, lang) for one in line.claims)


def _word(said: str, labels: Mapping[str, str], lang: str) -> str:
    for known in (WHAT, words.CLAIMS, words.RIGHTS):
        if said in known:
            return translate(lang, known[said])
    return labels.get(said, said)
