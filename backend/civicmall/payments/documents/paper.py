"""Pages of PDF: A4, one embedded Chinese font, drawn in a thread of their own.

The font is WenQuanYi Micro Hei (Apache-2.0), of which each file embeds the characters that it shows;
the few that it lacks are set in STSong-Light, which viewers bring (Adobe-GB1), and what neither has
becomes 〓, as printers set what they have no type for.
"""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final, TypeVar
from uuid import UUID

import segno
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from civicmall.kernel import money
from civicmall.kernel.errors import Unavailable

FONT_PACKAGE: Final = "paperang_p2_fonts_cjk"
FONT_FILE: Final = "fonts/wqy-microhei.ttc"
SPARE: Final = "STSong-Light"
MISSING: Final = "〓"
MARGIN: Final = 42.0
FOOT: Final = 14.0
"""What is kept free above the line at the bottom."""
GREY: Final = 0.4
BLACK: Final = 0.0
BASIC_PLANE: Final = 0xFFFF
FIRST_PRINTED: Final = 0x20
WAITING_MAX: Final = 40
"""Papers that wait for a thread; with more, whoever comes is asked to try again."""
EACH_MAX: Final = 2
"""Of these, what one caller may have there: nobody keeps the others from theirs."""
T = TypeVar("T")


def yuan(amount_minor: int) -> str:
    """An amount as papers write it: 1234567 → "¥12,345.67"."""
    return f"¥{money.yuan(amount_minor)}"


class Pen:
    """One thread that draws one kind of paper, with fonts of its own: the library's reader of a font
    keeps a place in it, which two threads would lose to each other.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"pdf-{kind}")
        self._waiting: Counter[UUID | None] = Counter()

    async def draw(self, work: Callable[[Fonts], T], caller: UUID | None = None) -> T:
        """`work` in the thread. Raises Unavailable where too many wait, or too many of this caller."""
        mine = self._waiting[caller] if caller is not None else 0
        if mine >= EACH_MAX or self._waiting.total() >= WAITING_MAX:
            raise Unavailable(retry_after_s=5)
        self._waiting[caller] += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, lambda: work(fonts(self._kind)))
        finally:
            self._waiting -= Counter({caller: 1})  # who has none left is forgotten

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


class Fonts:
    """The fonts of one pen."""

    def __init__(self, kind: str) -> None:
        self.name = f"City-{kind}"
        self._metrics: Any = pdfmetrics
        font: Any = TTFont(self.name, str(files(FONT_PACKAGE) / FONT_FILE), subfontIndex=0)
        self._metrics.registerFont(font)
        self._metrics.registerFont(UnicodeCIDFont(SPARE))
        self._known: set[int] = set(font.face.charToGlyph)
        self._widths: dict[str, float] = {}

    def runs(self, words: str) -> Iterator[tuple[str, str]]:
        """Font and text, piece by piece; what can't be printed is a space."""
        for font, some in groupby(map(self._set, words), key=lambda pair: pair[0]):
            yield font, "".join(character for _, character in some)

    def _set(self, character: str) -> tuple[str, str]:
        code = ord(character)
        if code < FIRST_PRINTED or character.isspace():
            return self.name, " "
        if code in self._known:
            return self.name, character
        return (SPARE, character) if code <= BASIC_PLANE else (self.name, MISSING)

    def width(self, words: str, size: float) -> float:
        """In points."""
        return size * sum(map(self._ems, words))

    def fit(self, words: str, width: float, size: float) -> str:
        """As much of it as fits, with … where something is left out."""
        if self.width(words, size) <= width:
            return words
        return words[: self._until(words, width - self.width("…", size), size)] + "…"

    def wrap(self, words: str, width: float, size: float) -> list[str]:
        """Lines of at most `width`; broken between any two characters, at a space where one is near."""
        found: list[str] = []
        rest = " ".join(words.split())
        while rest:
            end = max(1, self._until(rest, width, size))
            space = rest.rfind(" ", 0, end)
            if end < len(rest) and end // 2 < space:
                end = space
            found.append(rest[:end].rstrip())
            rest = rest[end:].lstrip()
        return found or [""]

    def _until(self, words: str, width: float, size: float) -> int:
        """How many characters fit."""
        for at, character in enumerate(words):
            width -= size * self._ems(character)
            if width < 0:
                return at
        return len(words)

    def _ems(self, character: str) -> float:
        """How wide a character is, by the size that it is set in."""
        known = self._widths.get(character)
        if known is None:
            font, set_as = self._set(character)
            known = self._widths[character] = self._metrics.stringWidth(set_as, font, 1)
        return known


@cache
def fonts(kind: str) -> Fonts:
    """A pen's fonts, read once (about a tenth of a second), in its thread."""
    return Fonts(kind)


class Sheet:
    """A document that is being drawn, from the top of each page down. Lengths in points."""

    def __init__(
        self,
        found: Fonts,
        title: str,
        lang: str,
        foot: Callable[[int], str],
        *,
        landscape: bool = False,
    ) -> None:
        """`foot` says what stands at the bottom of page n."""
        self.fonts = found
        self.width, self.height = (A4[1], A4[0]) if landscape else A4
        self._buffer = io.BytesIO()
        untyped: Any = Canvas
        canvas = untyped(
            self._buffer, pagesize=(self.width, self.height), pageCompression=1, invariant=1,
            lang=lang, initialFontName=found.name,
        )  # fmt: skip
        canvas.setTitle(title)
        canvas.setAuthor("CivicMall")
        canvas.setCreator("CivicMall")
        self._canvas = canvas
        self._foot = foot
        self.page = 1
        self.top = self.height - MARGIN
        self.y = self.top

    @property
    def left(self) -> float:
        """Where text begins."""
        return MARGIN

    @property
    def right(self) -> float:
        """Where text ends."""
        return self.width - MARGIN

    def text(
        self, x: float, words: str, size: float = 9, *, grey: bool = False, end: bool = False
    ) -> None:
        """Words at `x` on the line where we are; with `end` they end there."""
        x -= self.fonts.width(words, size) if end else 0
        self._canvas.setFillGray(GREY if grey else BLACK)
        for font, some in self.fonts.runs(words):
            self._canvas.setFont(font, size)
            self._canvas.drawString(x, self.y, some)
            x += self.fonts.width(some, size)

    def down(self, by: float) -> None:
        """On to a lower line."""
        self.y -= by

    def rule(self) -> None:
        """A thin line from side to side."""
        self._canvas.setStrokeGray(0.75)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(self.left, self.y, self.right, self.y)

    def room(self, needed: float) -> bool:
        """Whether so much fits above the foot."""
        return self.y - needed >= MARGIN + FOOT

    def turn(self) -> None:
        """On to a new page."""
        self._end_page()
        self.page += 1
        self.y = self.top

    def qr(self, words: str, x: float, y: float, side: float) -> None:
        """A QR code (ISO/IEC 18004, level M, quiet zone of four modules), its lower left at x, y."""
        rows = [
            list(row) for row in segno.make(words, error="m", micro=False).matrix_iter(border=4)
        ]
        step = side / len(rows)
        self._canvas.setFillGray(BLACK)
        for down, row in enumerate(rows):
            for dark, some in groupby(enumerate(row), key=lambda pair: bool(pair[1])):
                if dark:
                    places = [at for at, _ in some]
                    self._canvas.rect(
                        x + places[0] * step, y + side - (down + 1) * step,
                        len(places) * step, step, stroke=0, fill=1,
                    )  # fmt: skip
        self._canvas.linkURL(words, (x, y, x + side, y + side))

    def done(self) -> bytes:
        """The file."""
        self._end_page()
        self._canvas.save()
        return self._buffer.getvalue()

    def _end_page(self) -> None:
        self.y = MARGIN - 8
        self.text(self.left, self._foot(self.page), 7.5, grey=True)
        self._canvas.showPage()
