"""How a day becomes one short string: the canonical lines, the digests, the root, the signature.

**Lines.** A posting is written as one CSV line per entry (RFC 4180, UTF-8, each ended by one LF):

    day,bucket,posting,no,order,kind,posted_at,account,amount_minor

`day` is the business day (ISO 8601, Asia/Shanghai), `bucket` 0 to 255, `posting` and `order` ids in
lower case, `no` counts the entries from 1, `posted_at` is UTC with six decimals and `Z`,
`amount_minor` whole 分 with `-` where negative. A cell with a comma, a quote, CR or LF is quoted.

**Bucket.** A bucket's day is its postings in the order of their ids. Its digest is SHA-256 over one
head line, `civicmall ledger 1 DAY BUCKET PREVIOUS` and LF, followed by these lines; PREVIOUS is the
same bucket's digest of the day before in lower-case hex, 64 zeros on the first day.

**Root.** SHA-256 over `civicmall ledger 1 DAY PREVIOUS` and LF (PREVIOUS: the root of the day
before), followed by the 256 buckets' digests in hex, in order, each ended by LF.

**Signature.** Ed25519 (RFC 8032) over `civicmall ledger 1 DAY ROOT SEALED_AT` without LF; SEALED_AT as
`posted_at` above.

Beside the digest, each bucket keeps a *mark* per posting: the first eight bytes of SHA-256 over the
posting's lines, in the same order. Marks prove nothing; they say which posting isn't as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Final
from uuid import UUID

from civicmall.kernel import days
from civicmall.kernel.crypto import Keys
from civicmall.kernel.days import end_of, instant, start_of

from .models import ClosedBucket, Posting

FORMAT: Final = "civicmall ledger 1"
HEADER: Final = "day,bucket,posting,no,order,kind,posted_at,account,amount_minor\n"
MARK: Final = 8
SEALED_LATE_S: Final = 2 * 86_400.0
"""A day that is signed later than this after its end stands out, for it may have been closed anew."""
OWN_S: Final = 900.0
"""The program makes a posting's id just before it posts: as near as this, and it may be its own."""


def _cell(value: object) -> str:
    text = str(value)
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def lines(day: date, posting: Posting) -> str:
    """A posting's lines, as they are exported and digested."""
    head = f"{day},{posting.bucket},{posting.id},"
    middle = f",{posting.order_id},{_cell(posting.kind)},{instant(posting.posted_at)},"
    both = zip_longest(posting.accounts, posting.amounts)
    return "".join(
        f"{head}{no}{middle}{_cell(account)},{amount}\n"
        for no, (account, amount) in enumerate(both, 1)
    )


class Part:
    """One bucket's day while it is being read: postings come in the order of their ids.

    `previous` are the digests that it may follow: one, or two where the day before is in doubt.
    """

    def __init__(self, day: date, bucket: int, previous: Iterable[bytes]) -> None:
        self.day = day
        self.bucket = bucket
        heads = (f"{FORMAT} {day} {bucket} {before.hex()}\n" for before in previous)
        self._hashes = [hashlib.sha256(head.encode()) for head in heads]
        self.ids: list[UUID] = []
        self.marks = bytearray()
        self.sums: dict[str, tuple[int, int]] = {}
        self.unbalanced: list[UUID] = []

    def add(self, posting: Posting) -> None:
        """Take the next posting in."""
        data = lines(self.day, posting).encode()
        for digest in self._hashes:
            digest.update(data)
        self.ids.append(posting.id)
        self.marks += hashlib.sha256(data).digest()[:MARK]
        for account, amount in zip(posting.accounts, posting.amounts, strict=False):
            total, many = self.sums.get(account, (0, 0))
            self.sums[account] = total + amount, many + 1
        if sum(posting.amounts) or len(posting.accounts) != len(posting.amounts):
            self.unbalanced.append(posting.id)

    @property
    def digests(self) -> list[bytes]:
        """After each of the digests that it may follow."""
        return [digest.digest() for digest in self._hashes]


Sums = dict[str, tuple[int, int]]
"""Account → what it got and in how many entries."""


def columns(sums: Sums) -> tuple[list[str], list[int], list[int]]:
    """As a closing row has it: accounts in order, totals, entries."""
    accounts = sorted(sums)
    return accounts, [sums[a][0] for a in accounts], [sums[a][1] for a in accounts]


def sums_of(accounts: Sequence[str], totals: Sequence[int], entries: Sequence[int]) -> Sums:
    """Back from the columns."""
    return {a: (t, n) for a, t, n in zip(accounts, totals, entries, strict=True)}


def plus(books: Sums, rows: Iterable[Sums]) -> Sums:
    """Balances after what came."""
    found = dict(books)
    for row in rows:
        for account, (total, many) in row.items():
            before = found.get(account, (0, 0))
            found[account] = before[0] + total, before[1] + many
    return found


def books_of(rows: Iterable[ClosedBucket]) -> list[Sums]:
    """What each bucket's day brought."""
    return [sums_of(row.accounts, row.totals, row.entries) for row in rows]


def root(day: date, previous: bytes, digests: Mapping[int, bytes]) -> bytes:
    """The one string for a day and all before it; `digests` has every bucket."""
    return days.root(FORMAT, day, previous, digests)


class Seal(days.Seal):
    """Signs roots with a key that lies in no database."""

    def __init__(self, keys: Keys) -> None:
        super().__init__(keys, "ledger:days", FORMAT)


def strange(part: Part, marks: bytes) -> tuple[list[UUID], int]:
    """Postings that weren't there when the day was closed, and how many of then are gone."""
    then = [marks[at : at + MARK] for at in range(0, len(marks), MARK)]
    now = [bytes(part.marks[at : at + MARK]) for at in range(0, len(part.marks), MARK)]
    known = set(then)
    return (
        [one for one, mark in zip(part.ids, now, strict=True) if mark not in known],
        len(known.difference(now)),
    )


def looks_own(posting: UUID, day: date) -> bool:
    """Whether an id was made about the day that its posting claims (UUIDv7, RFC 9562)."""
    if posting.version != 7:  # noqa: PLR2004 (UUIDv7)
        return False
    made_s = int.from_bytes(posting.bytes[:6]) / 1000
    return start_of(day).timestamp() - OWN_S <= made_s < end_of(day).timestamp() + OWN_S
