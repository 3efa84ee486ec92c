"""The sandbox's households: accounts, fourteen months of readings, bills, and who has paid.

Everything follows from a person's key and the date, so a later start adds what has come to pass
since: new readings and bills, and the payments of those who would have paid by then. What a
citizen of the sandbox did in the meantime stays as it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, Final, Literal
from zlib import crc32

from msgspec import Struct

from shopkit import ShopDb, sql
from shopkit.call import keyed_hash
from shopkit.local import CITY
from shopkit.sandbox import Person, people

from .billing import Value, due_on, used_before
from .models import Account, Unpaid
from .prices import Book
from .service import q
from .tariff import Line, Usage, charge, charge_season, in_force, late_fee, season

MONTHS: Final = 14
"""How far the readings go back: a year and a bit, so that bills can be compared."""
METERS_SINCE: Final = 2024 * 12
"""The month (years × 12 + months) in which all meters were put in."""
BATCH: Final = 2_000
"""Bills in one statement: a second's work on a slow machine, well within its time limit."""
ESTIMATED_EVERY: Final = 40
"""One reading in so many couldn't be taken."""

SEASONS: Final[dict[str, tuple[int, ...]]] = {
    "water": (85, 80, 90, 95, 105, 120, 130, 125, 110, 95, 85, 80),
    "power": (115, 105, 85, 75, 80, 115, 165, 160, 100, 75, 85, 110),
    "gas": (135, 130, 115, 100, 90, 80, 70, 70, 85, 100, 115, 130),
}
"""How each month compares with the average, in per cent, from January on."""
MONTHLY_MILLI: Final = {
    "water": (4_500, 16_000),
    "power": (130_000, 240_000),
    "gas": (9_000, 24_000),
}
"""A household's average month: the least, and how much more it may be."""
LETTERS: Final = {"water": "W", "power": "P", "gas": "G", "heating": "H"}

Habit = Literal["soon", "due", "late"]
"""When somebody pays: some days after the bill, on its last day, or when the next is overdue."""


class Home(Struct, frozen=True):
    """A household and its account with one utility."""

    person: Person
    number: int
    utility: str
    account: str
    persons: int
    area_milli: int | None

    @property
    def meter(self) -> str:
        """Its meter's number."""
        return f"M{self.account}"

    def pick(self, what: object, below: int) -> int:
        """A number from 0, the same every time for the same household and question."""
        return crc32(f"{self.person.key}/{self.utility}/{what}".encode()) % below


class Draft(Struct, frozen=True):
    """A bill to be issued."""

    home: Home
    since: date
    until: date
    issued_on: date
    due_on: date
    usage_milli: int | None
    before_milli: int
    lines: list[Line]

    @property
    def id(self) -> str:
        """The account and the first month of the period."""
        return f"{self.home.account}-{self.since:%Y%m}"


async def fill(db: ShopDb, secret: bytes, book: Book, today: date) -> None:
    """Bring the sandbox to where it stands on `today`; does little when it is there already."""
    known = {a.number: a for a in await q["accounts"].rows(db, Account)}
    everybody = list(homes(book, today))
    await _open_accounts(db, secret, everybody, known)
    readings: list[tuple[Any, ...]] = []
    drafts: list[Draft] = []
    for home in everybody:
        account = known.get(home.account)
        billed_until = account.billed_until if account else None
        if home.utility == "heating":
            drafts += heating(book, home, today, billed_until)
        else:
            values, new = metered(book, home, today, billed_until)
            readings += values
            drafts += new
    await q["read_meters"].run_many(db, ("meters", "days", "readings", "estimated"), readings)
    for start in range(0, len(drafts), BATCH):
        await _issue(db, drafts[start : start + BATCH])
    await _pay(db, book, {home.account: home for home in everybody}, today)


def homes(book: Book, today: date) -> Iterator[Home]:
    """Every sandbox citizen's account with every utility."""
    for person in people(today):
        number = int(person.key[-4:])
        one = crc32(person.key.encode())
        # One household in fifty has six or seven members, and with them wider tiers.
        persons = 6 + one // 50 % 2 if one % 50 == 0 else 1 + one % 5
        for utility in book.utilities:
            area = 45_000 + one % 95_000 // 100 * 100 if utility == "heating" else None
            account = f"{LETTERS[utility]}{number:08d}"
            yield Home(person, number, utility, account, persons, area)


def metered(
    book: Book, home: Home, today: date, billed_until: date | None
) -> tuple[list[tuple[Any, ...]], list[Draft]]:
    """The readings and bills of a metered account that have come to pass and aren't there yet."""
    rules = book.utilities[home.utility]
    assert rules.terms is not None
    cycle, now = rules.terms.cycle_months, today.year * 12 + today.month - 1
    last = now - (now + home.number) % cycle
    if billed_until is not None and billed_until >= first_of(last):
        return [], []
    values = _values(home, last, cycle)
    days = [value.on for value in values]
    # From where the bills end; at the very first start, from fourteen months ago.
    first = (
        bisect_right(days, billed_until) - 1 if billed_until else len(days) - 1 - MONTHS // cycle
    )
    first = max(0, first)
    rows = [
        (home.meter, value.on, value.milli, not home.pick(value.on, ESTIMATED_EVERY))
        for value in values[first:]
    ]
    return rows, [_draft(book, home, values[: n + 1]) for n in range(first + 1, len(values))]


def _draft(book: Book, home: Home, values: Sequence[Value]) -> Draft:
    """The bill for what was used between the last two of the readings."""
    rules = book.utilities[home.utility]
    assert rules.terms is not None
    earlier, value = values[-2:]
    before = used_before(values[:-1], in_force(rules.tariffs, earlier.on), earlier.on)
    used = Usage(earlier.on, value.on, value.milli - earlier.milli, before, home.persons)
    due = due_on(value.on, rules.terms.due_months)
    lines = charge(rules.tariffs, used)
    return Draft(home, used.since, used.until, value.on, due, used.quantity_milli, before, lines)


def _values(home: Home, last: int, cycle: int) -> list[Value]:
    """What the meter shows at each reading up to the month `last`."""
    least, more = MONTHLY_MILLI[home.utility]
    average = least + home.pick("average", more) * (4 + home.persons) // 8
    pattern = SEASONS[home.utility]
    count = home.pick("new", 900_000)
    values: list[Value] = []
    for month in range(METERS_SINCE, last + 1):
        if (last - month) % cycle == 0:
            values.append(Value(first_of(month), count))
        by_chance = 85 + home.pick(month, 31)
        count += average * pattern[month % 12] * by_chance // 10_000
    return values


@cache
def first_of(month: int) -> date:
    """The first day of a month, counted as years × 12 + months from 0."""
    return date(month // 12, month % 12 + 1, 1)


def heating(book: Book, home: Home, today: date, billed_until: date | None) -> list[Draft]:
    """The bills for the coming or running heating season and for the one before."""
    rules = book.utilities[home.utility]
    assert rules.season is not None
    assert home.area_milli is not None
    opens = date.fromisoformat(f"{today.year}-{rules.season.pay_from}")
    newest = today.year - (today < opens)
    drafts: list[Draft] = []
    for year in (newest - 1, newest):
        whole = season(rules.season, year)
        if billed_until is not None and whole[1] <= billed_until:
            continue
        lines = charge_season(rules.tariffs, whole, home.area_milli, *whole)
        issued = date.fromisoformat(f"{year}-{rules.season.pay_from}")
        due = date.fromisoformat(f"{year}-{rules.season.pay_by}")
        drafts.append(Draft(home, *whole, issued, due, None, 0, lines))
    return drafts


def habit(home: Home) -> Habit:
    """How a household pays. Personas always leave their newest bill for whoever plays them."""
    persona, utility = home.person.persona, home.utility
    if persona == "newborn_mother" and utility == "gas":
        return "late"
    if persona != "household":
        return "due"
    roll = home.pick("habit", 100)
    if roll < 5:  # noqa: PLR2004 (five in a hundred)
        return "late"
    return "due" if roll < 65 else "soon"  # noqa: PLR2004 (six in ten wait for the last day)


def pays_on(book: Book, home: Home, bill: Unpaid) -> date:
    """The day on which a household pays a bill if nobody does so before."""
    terms = book.utilities[home.utility].terms
    how = habit(home)
    if how == "soon":
        return bill.issued_on + timedelta(days=2 + home.pick(bill.id, 18))
    if how == "late" and terms is not None:
        return due_on(
            due_on(bill.issued_on, terms.due_months) + timedelta(days=1), terms.due_months
        )
    return bill.due_on


async def _open_accounts(
    db: ShopDb, secret: bytes, everybody: Iterable[Home], known: dict[str, Account]
) -> None:
    """Accounts and meters that are missing, and holders whose ID number is another by now."""
    accounts: list[tuple[Any, ...]] = []
    meters: list[tuple[Any, ...]] = []
    hashes: dict[str, bytes] = {}
    since = first_of(METERS_SINCE)
    for home in everybody:
        key = home.person.key
        holder = hashes.get(key) or keyed_hash(secret, home.person.id_number)
        hashes[key] = holder
        account = known.get(home.account)
        if account is None or account.holder != holder:
            row = (home.account, home.utility, holder, home.persons, home.area_milli, since)
            accounts.append(row)
        if home.area_milli is None and (account is None or account.billed_until is None):
            meters.append((home.meter, home.account, since))
    columns = ("numbers", "utilities", "holders", "persons", "areas", "opened")
    await q["open_accounts"].run_many(db, columns, accounts)
    await q["install_meters"].run_many(db, ("meters", "accounts", "installed"), meters)


async def _issue(db: ShopDb, drafts: Sequence[Draft]) -> None:
    """Bills and their lines, each bill with all of its lines or not at all."""
    bills = [
        (d.id, d.home.account, d.home.persons, d.since, d.until, d.issued_on, d.due_on,
         d.usage_milli, d.before_milli)
        for d in drafts
    ]  # fmt: skip
    lines = [
        (d.id, n, x.tariff, x.component, x.tier, x.since, x.until, x.quantity_milli,
         x.price_milli_minor, x.amount_minor)
        for d in drafts
        for n, x in enumerate(d.lines)
    ]  # fmt: skip
    of_bills = ("bills", "accounts", "persons", "periods_from", "periods_until", "issued", "due",
                "usages", "before")  # fmt: skip
    of_lines = ("line_bills", "positions", "tariffs", "components", "tiers", "since", "until",
                "quantities", "prices", "amounts")  # fmt: skip
    await q["issue"].run(db, **sql.columns(of_bills, bills), **sql.columns(of_lines, lines))


async def _pay(db: ShopDb, book: Book, by_account: dict[str, Home], today: date) -> None:
    """The payments of everybody whose day to pay has passed."""
    paid: list[tuple[Any, ...]] = []
    for bill in await q["unpaid"].rows(db, Unpaid):
        home = by_account.get(bill.account)
        if home is None:
            continue
        day = pays_on(book, home, bill)
        if day < today:
            rule = book.utilities[bill.utility].late_fee
            late = late_fee(rule, bill.amount_minor, bill.due_on, day)
            at = datetime.combine(day, time(20, 0), CITY).astimezone(UTC)
            paid.append((bill.id, bill.amount_minor + late, late, at))
    await q["book_many"].run_many(db, ("bills", "amounts", "late_fees", "paid_at"), paid)
