"""When a counter can be booked: every slot that a timetable gives, and no other."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shopkit import workdays
from shopkit.counters import Timetable, parse
from shopkit.counters.timetable import Opening
from shopkit.local import CITY

MORNING = {"days": [1, 2, 3, 4, 5], "opens": "09:00", "closes": "11:00"}
EVENING = {"days": [3], "opens": "17:30", "closes": "19:30", "kind": "after_hours"}
MONDAY = date(2026, 11, 30)


def counter(place: str = "east", **other: Any) -> dict[str, Any]:
    named = {"id": place, "name": {"zh-CN": place}, "address": {"zh-CN": "某路1号"}}
    return {"place": named, "slot_minutes": 30, "capacity": 3, "hours": [MORNING], **other}


def timetable(*counters: dict[str, Any], **rules: Any) -> Timetable:
    return parse({"counters": list(counters), "source": "a test", **rules})


def spans(slots: list[Opening]) -> list[tuple[str, str, int]]:
    return [(f"{s.begins_at:%H:%M}", s.kind, s.capacity) for s in slots]


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    """Several places with up to four openings a day that don't overlap."""
    counters: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        length = draw(st.integers(5, 90))
        edges = sorted(draw(st.sets(st.integers(0, 1439), min_size=2, max_size=8)))
        hours = [
            {
                "days": draw(st.lists(st.integers(1, 7), min_size=1, max_size=7)),
                "opens": f"{a // 60:02d}:{a % 60:02d}",
                "closes": f"{b // 60:02d}:{b % 60:02d}",
                "kind": draw(st.sampled_from(["normal", "after_hours"])),
            }
            for a, b in zip(edges[::2], edges[1::2], strict=False)
            if b - a >= length
        ]
        capacity = draw(st.integers(1, 9))
        green = draw(st.integers(0, capacity))
        counters.append(
            counter(f"p{number}", slot_minutes=length, capacity=capacity, green=green, hours=hours)
        )
    return timetable(*counters)


@settings(deadline=None)  # days of hundreds of slots
@given(timetables(), st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_every_slot_is_found_by_its_id_and_ids_differ(table: Timetable, day: date) -> None:
    slots = table.times(day)
    assert [table.find(slot.id) for slot in slots] == slots
    assert len({slot.id for slot in slots}) == len(slots)


@settings(deadline=None)  # days of hundreds of slots
@given(timetables(), st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_slots_lie_within_the_hours_of_their_day_and_share_the_capacity(
    table: Timetable, day: date
) -> None:
    slots = table.times(day)
    assert not (slots and workdays.holiday(day))
    assert [s.begins_at for s in slots] == sorted(s.begins_at for s in slots)
    places: dict[tuple[str, datetime], int] = {}
    for slot in slots:
        found = table.counter(slot.place)
        assert found is not None
        assert slot.begins_at.date() == day
        assert (slot.ends_at - slot.begins_at) == timedelta(minutes=found.slot_minutes)
        assert any(
            hours.opens <= f"{slot.begins_at:%H:%M}" and f"{slot.ends_at:%H:%M}" <= hours.closes
            for hours in found.hours
        )
        at = slot.place, slot.begins_at
        places[at] = places.get(at, 0) + slot.capacity
    for (place, _), capacity in places.items():
        found = table.counter(place)
        assert found is not None
        assert capacity == found.capacity


@given(st.text(max_size=40))
@example("east.20261130T0900.a")
@example("east.20261130T0905.n")
@example("east.20261130T0900.n\n")
@example("east.20261130T0900.g")
@example("east.20261129T0900.n")
@example("east.20261340T0900.n")
@example("east.00000101T0900.n")
@example("east.２０２６1130T0900.n")
@example("west.20261130T0900.n")
@example("..20261130T0900.n")
def test_an_id_that_no_slot_has_is_not_found(slot_id: str) -> None:
    assert timetable(counter()).find(slot_id) is None


def test_a_green_channel_is_a_slot_of_its_own_but_not_after_hours() -> None:
    table = timetable(counter(green=1, slot_minutes=60, hours=[MORNING, EVENING]))
    wednesday = MONDAY + timedelta(days=2)
    assert spans(table.times(wednesday)) == [
        ("09:00", "green_channel", 1), ("09:00", "normal", 2),
        ("10:00", "green_channel", 1), ("10:00", "normal", 2),
        ("17:30", "after_hours", 3), ("18:30", "after_hours", 3),
    ]  # fmt: skip
    assert len(table.times(MONDAY)) == 4


def test_a_place_kept_for_the_green_channel_alone() -> None:
    table = timetable(counter(green=3, slot_minutes=120))
    assert spans(table.times(MONDAY)) == [("09:00", "green_channel", 3)]


def test_minutes_that_make_no_slot_are_left() -> None:
    assert len(timetable(counter(slot_minutes=50)).times(MONDAY)) == 2


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        ("2026-10-01", False), ("2026-10-07", False), ("2026-10-08", True), ("2026-10-10", True),
        ("2026-10-11", False), ("2026-02-28", True), ("2026-09-20", True), ("2036-01-01", False),
        ("2036-01-04", True), ("2036-10-01", False),
    ],
)  # fmt: skip
def test_holidays_are_closed_and_made_up_days_have_mondays_hours(day: str, *, opens: bool) -> None:
    assert bool(timetable(counter()).times(date.fromisoformat(day))) is opens


def test_a_holiday_closes_weekend_hours_too() -> None:
    table = timetable(counter(hours=[{**MORNING, "days": [6]}]))
    assert table.times(date(2026, 11, 28))
    assert not table.times(date(2026, 10, 3))
    assert not table.times(date(2032, 5, 1)), "Labour Day, its year's notice not yet known"


def test_a_place_may_be_closed_alone() -> None:
    table = timetable(counter("east", closed=[str(MONDAY)]), counter("west"))
    assert {slot.place for slot in table.times(MONDAY)} == {"west"}


def test_a_matter_is_only_offered_where_it_is_done() -> None:
    name = {"zh-CN": "事"}
    table = timetable(
        counter("east", matters=["one"]), counter("west"),
        matters=[{"id": "one", "name": name}, {"id": "two", "name": name}],
    )  # fmt: skip
    assert {slot.place for slot in table.times(MONDAY, matter="one")} == {"east", "west"}
    assert {slot.place for slot in table.times(MONDAY, matter="two")} == {"west"}
    assert {slot.place for slot in table.times(MONDAY, place="east")} == {"east"}


@pytest.mark.parametrize(
    ("hour", "minute", "may"),
    [(7, 59, True), (8, 30, True), (8, 31, False), (9, 0, False), (9, 1, False)],
)
def test_notice_is_the_last_moment_to_book(hour: int, minute: int, *, may: bool) -> None:
    table = timetable(counter(), notice_minutes=30)
    first = table.times(MONDAY)[0]
    now = datetime(2026, 11, 30, hour, minute, tzinfo=CITY)
    assert table.may_book(first, now, MONDAY) is may


@pytest.mark.parametrize(("ahead", "may"), [(6, False), (7, True), (8, True)])
def test_how_far_ahead_may_be_booked(ahead: int, *, may: bool) -> None:
    table = timetable(counter(), days_ahead=ahead)
    first = table.times(MONDAY)[0]
    today = MONDAY - timedelta(days=7)
    assert table.may_book(first, datetime(2026, 11, 22, 16, tzinfo=UTC), today) is may


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"hours": [MORNING, {**MORNING, "days": [5], "opens": "10:29"}]}, "overlap"),
        ({"hours": [{**MORNING, "closes": "09:29"}]}, "shorter than a slot"),
        ({"hours": [{**MORNING, "opens": "11:30"}]}, "shorter than a slot"),
        ({"hours": [{**MORNING, "opens": "9:00"}]}, "opens"),
        ({"hours": [{**MORNING, "closes": "24:00"}]}, "closes"),
        ({"hours": [{**MORNING, "days": [0]}]}, "days"),
        ({"hours": [{**MORNING, "kind": "green_channel"}]}, "kind"),
        ({"green": 4}, "green channel"),
        ({"matters": ["none"]}, "no matter none"),
        ({"capacity": 0}, "capacity"),
        ({"slots": 3}, "slots"),
    ],
)
def test_a_wrong_timetable_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        timetable(counter(**wrong))


def test_a_place_or_matter_stands_once() -> None:
    with pytest.raises(ValueError, match="place east stands twice"):
        timetable(counter(), counter())
    matter = {"id": "one", "name": {"zh-CN": "事"}}
    with pytest.raises(ValueError, match="matter one stands twice"):
        timetable(counter(), matters=[matter, matter])
    with pytest.raises(ValueError, match="up to 40 letters"):
        timetable(counter("a.b"))
