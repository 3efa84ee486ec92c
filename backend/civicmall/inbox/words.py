"""What the inbox tells of a citizen's own sign-in. English here, Chinese in locale/zh.po."""

from __future__ import annotations

from typing import Final

from civicmall.kernel.i18n import Text, both

NEWS: Final[dict[str, tuple[str, str, str]]] = {
    "new_device": (
        "A device that we don't know signed in",
        "{device} signed in to your account. Was it not you? Then sign it out.",
        "/me/devices",
    ),
    "copied": (
        "A sign-in was ended for safety",
        "Its key was used twice, so somebody may have copied it. Look where you are signed in.",
        "/me/devices",
    ),
    "passkey_added": (
        "A passkey was added to your account",
        "It signs in without a code. Was it not you? Then remove it and sign all devices out.",
        "/me/passkeys",
    ),
    "passkey_removed": (
        "A passkey was removed from your account",
        "It doesn't sign in any more. Was it not you? Then look where you are signed in.",
        "/me/devices",
    ),
    "passkey_set_aside": (
        "A passkey of yours was set aside",
        "Somebody may have copied it, so it doesn't sign in any more. Remove it, and add another.",
        "/me/passkeys",
    ),
    "level_2": (
        "Your name and ID number are verified",
        "Was it not you? Then sign all devices out and tell us.",
        "/me",
    ),
    "level_3": (
        "You proved your identity by your face or in person",
        "Was it not you? Then sign all devices out and tell us.",
        "/me",
    ),
    "upstream_linked": (
        "An account elsewhere signs you in",
        "Your account at {device} was connected with this one. Was it not you? Then take it away.",
        "/me/links",
    ),
    "fact_kept": (
        "Your objection to a fact was answered",
        "What is attested of you stays. Read why.",
        "/me/facts",
    ),
    "fact_withdrawn": (
        "Your objection to a fact was answered",
        "What was attested of you is withdrawn. Read the answer.",
        "/me/facts",
    ),
    "fact_corrected": (
        "A fact that you objected to was changed",
        "Whoever attested it tells something else now. See whether it is right.",
        "/me/facts",
    ),
    "reading_answered": (
        "Your objection was answered",
        "You didn't agree with a reading of your data. Read what the platform answers.",
        "/me/accesses",
    ),
}
"""By what happened: title, body, and the page where something can be done."""
UNKNOWN: Final = "Another browser or program"


def safety_news(what: str, device: str) -> tuple[Text, Text, str]:
    """Title and body in both languages, and a link."""
    title, body, link = NEWS[what]
    return both(title), both(body, device=device or both(UNKNOWN)), link
