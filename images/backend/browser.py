"""Debian's Chromium for Playwright: `link FOLDER` puts it where Playwright looks for its own, `check` shows a page with it.

Orcheo's browser nodes name no executable: Playwright starts the one in PLAYWRIGHT_BROWSERS_PATH, under a name that holds the
revision that its release was made with.
"""

import asyncio
import importlib.util
import json
import sys
from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
# Headless, and with a window; each on both platforms.
PLACES = {
    "chromium_headless_shell": ("chrome-headless-shell-{}", "chrome-headless-shell"),
    "chromium": ("chrome-{}", "chrome"),
}
PLATFORMS = ("linux64", "linux-arm64")
PNG = b"\x89PNG\r\n\x1a\n"


def revision(browsers: str) -> str:
    """Of Chromium in Playwright's browsers.json."""
    found = [each["revision"] for each in json.loads(browsers)["browsers"] if each["name"] == "chromium"]
    if len(found) != 1:
        raise SystemExit("Playwright's browsers.json names no Chromium: its form has changed")
    return str(found[0])


def links(folder: Path, number: str) -> list[Path]:
    """Where Playwright looks."""
    return [
        folder / f"{name}-{number}" / directory.format(platform) / executable
        for name, (directory, executable) in PLACES.items()
        for platform in PLATFORMS
    ]


def link(folder: Path) -> None:
    """Makes them."""
    package = importlib.util.find_spec("playwright")
    assert package is not None and package.origin is not None
    browsers = Path(package.origin).parent / "driver/package/browsers.json"
    for place in links(folder, revision(browsers.read_text(encoding="utf-8"))):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(CHROMIUM)


async def check() -> None:
    """As Orcheo's nodes do it."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(headless=True)
        page = await browser.new_page()
        await page.goto("data:text/html,<title>shown</title><h1>Orcheo</h1>")
        shown = (await page.title(), (await page.screenshot())[: len(PNG)])
        print(f"Chromium {browser.version}: {shown}")
        await browser.close()
    if shown != ("shown", PNG):
        raise SystemExit("Chromium showed something else")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["link", folder]:
            link(Path(folder))
        case ["check"]:
            asyncio.run(check())
        case _:
            raise SystemExit(__doc__)
