"""What may be sent to a citizen."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from civicmall.inbox.models import MessageRow
from civicmall.inbox.rules import fault, shown

BOTH = {"zh-CN": "已答复", "en": "Answered"}


@pytest.mark.parametrize("link", ["/", "/rectifications/1", "/bills?shop=a#b"])
def test_a_path_of_ours_may_be_followed(link: str) -> None:
    assert fault(BOTH, BOTH, link) == ""


@pytest.mark.parametrize(
    "link",
    ["", "rectifications", "//elsewhere", "/\\elsewhere", "https://elsewhere", "javascript:x"],
)
def test_a_link_never_leads_elsewhere(link: str) -> None:
    assert fault(BOTH, BOTH, link) == "link is not a path in the app"


@pytest.mark.parametrize("lacking", [{"zh-CN": "已答复"}, {"en": "Answered"}, {**BOTH, "en": " "}])
def test_both_languages_are_there(lacking: dict[str, str]) -> None:
    assert fault(lacking, BOTH, "/").startswith("title has no ")
    assert fault(BOTH, lacking, "/").startswith("body has no ")


def test_a_message_is_read_in_the_readers_language() -> None:
    row = MessageRow(UUID(int=1), "a.b", BOTH, BOTH, "/", datetime.now(UTC), None)
    assert shown(row, "zh-CN").title == "已答复"
    assert shown(row, "en").body == "Answered"
