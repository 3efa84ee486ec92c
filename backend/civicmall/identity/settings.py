"""The city's gateway for text messages, from the environment."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Address = Annotated[str, Meta(pattern=r"^https?://[!-~]+$", description="https://…, the gateway")]
Secret = Annotated[
    str, Meta(pattern=r"^whsec_[A-Za-z0-9+/]{32,}={0,2}$",
              description="whsec_ and at least 24 bytes in base64, shared with the gateway"),
]  # fmt: skip
Template = Annotated[
    str, Meta(min_length=1, max_length=80, description="the approved template's id")
]


class Gateway(Struct, frozen=True, rename={
    "url": "CIVICMALL_SMS_URL", "secret": "CIVICMALL_SMS_SECRET",
    "code_template": "CIVICMALL_SMS_CODE_TEMPLATE", "notice_template": "CIVICMALL_SMS_NOTICE_TEMPLATE",
}):  # fmt: skip
    """The city's gateway, from the environment."""

    url: Address
    secret: Secret
    code_template: Template
    notice_template: Annotated[str, Meta(max_length=80)] = ""
    """For messages that carry no code; the code's where there is no other."""
