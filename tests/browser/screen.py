"""A screen that somebody looks at: each page is kept as a picture and checked for everybody's use."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Error, Page, expect

ARTEFACTS: Final = Path(__file__).parents[2] / "artefacts" / "browser"
PHONE: Final = (390, 844)
DESK: Final = (1280, 900)
SEVERE: Final = frozenset({"serious", "critical"})
PATIENCE_MS: Final = 15_000
"""On a busy machine a page may take seconds; on an idle one nobody waits."""
TAKES: Final = 5
NEXT_FRAME: Final = "new Promise((seen) => requestAnimationFrame(() => seen(true)))"
WIDE: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL: Final = """() => [...document.querySelectorAll(
    'a, button, summary, select, textarea, input:not([type=hidden])')].filter((e) => {
  const box = (e.closest('label') ?? e).getBoundingClientRect();
  const inText = e.tagName === 'A' && getComputedStyle(e).display === 'inline';
  return box.height > 1 && box.height < 44 && !inText && !e.closest('.skip, [disabled]');
}).map((e) => `${e.outerHTML.slice(0, 80)} ${(e.closest('label') ?? e).offsetHeight}`)"""
"""What is too low for a thumb. Links inside a sentence are as high as their line."""

expect.set_options(timeout=PATIENCE_MS)


class Screen:
    """One page of one browser window."""

    def __init__(self, page: Page, url: str, name: str) -> None:
        self.page = page
        self.url = url
        self.name = name
        self.faults: list[str] = []
        self._taken = 0
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"{self.page.url}: {message.text}")

    async def goto(self, path: str) -> None:
        """A page by its address."""
        await self.page.goto(self.url + path)

    async def look(self, what: str, *, axe: bool = True) -> None:
        """Keep a picture; nobody may be shut out, nothing may stick out or fail in silence."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        self._taken += 1
        path = ARTEFACTS / f"{self.name}-{self._taken:02d}-{what}.png"
        await self._take(path)
        assert self.faults == [], self.faults
        assert await self.page.evaluate(WIDE) <= 0, f"{what} is wider than the screen"
        if self.name.startswith("citizen"):
            small = await self.page.evaluate(SMALL)
            assert small == [], (what, small)
        if axe:
            untyped: Any = Axe()
            found = await untyped.run(self.page)
            bad = [v for v in found.response["violations"] if v["impact"] in SEVERE]
            assert bad == [], (what, [(v["id"], [n["html"] for n in v["nodes"]]) for v in bad])

    async def _take(self, path: Path) -> None:
        """Chromium now and then has no frame at hand and refuses; after the next one it takes it."""
        for _ in range(TAKES - 1):
            try:
                await self.page.screenshot(path=path)
            except Error as error:
                if "Unable to capture screenshot" not in error.message:
                    raise
                await self.page.evaluate(NEXT_FRAME)
            else:
                return
        await self.page.screenshot(path=path)

    async def close(self) -> None:
        """Close the window."""
        await self.page.context.close()


async def screen(
    browser: Browser,
    url: str,
    name: str,
    *,
    size: tuple[int, int] = PHONE,
    lang: str = "zh-CN",
    dark: bool = False,
    scripts: bool = True,
) -> Screen:
    """A new window with cookies of its own."""
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context: BrowserContext = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=lang,
        color_scheme=scheme,
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    return Screen(await context.new_page(), url, name)
