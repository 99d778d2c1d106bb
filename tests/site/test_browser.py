"""The site in a real Chromium: a reader's walk, accessibility, phones and paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1300, "height": 900}
LESSON = "notebooks/01_activation_functions/activation_functions.html"
WIDEST = """Math.max(...[document.documentElement, ...document.querySelectorAll(".content")]
    .map(box => box.scrollWidth))"""
"""The theme scrolls its column of text by itself, so that the page as a whole never does."""


@pytest.fixture(scope="session")
def names(site: Path) -> list[str]:
    """Every page's address on the site."""
    return [file.relative_to(site).as_posix() for file in sorted(site.rglob("*.html"))]


@pytest.fixture
def tab(new_page: Callable[..., Any]) -> Iterator[Any]:
    """An empty tab that remembers every request and every error."""
    page = new_page(viewport=DESK, color_scheme="light", reduced_motion="reduce")
    page.requests, page.faults = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    yield page
    page.close()


def test_a_reader_walks_through_the_site(tab: Any, address: str) -> None:
    from playwright.sync_api import expect

    tab.goto(address)
    tab.get_by_role("link", name="01 · Activation functions").first.click()
    expect(tab.locator("h1")).to_contain_text("Activation functions")

    fold = tab.locator("details.hide").first
    expect(fold.locator("pre")).to_be_hidden()
    fold.get_by_text("Show a solution of TODO 1.1").click()
    expect(fold.locator("pre")).to_be_visible()
    expect(fold.locator("pre")).to_contain_text("class MyReLU")

    ground = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(ground)
    switch = tab.get_by_role("button", name="theme").last
    for _ in range(3):  # from the system's choice to the two others
        switch.click()
        if tab.locator("body").get_attribute("data-theme") == "dark":
            break
    assert tab.evaluate(ground) != light
    assert sum(int(x) for x in tab.evaluate(ground)[4:-1].split(",")) < 120

    search = tab.get_by_role("textbox", name="Search").first
    search.fill("dropout")
    search.press("Enter")
    found = tab.locator("#search-results a", has_text="05 · Dropout").first
    found.click()
    expect(tab.locator("h1")).to_contain_text("Dropout")
    assert not tab.faults
    assert all(url.startswith((address, "data:")) for url in tab.requests)


THIN_OUT = """
const seen = new Set();
for (const span of document.querySelectorAll(".highlight span[class], .sig span[class]")) {
  const ground = getComputedStyle(span.closest(".highlight, .sig")).backgroundColor;
  const colour = getComputedStyle(span).color + ground;
  if (seen.has(colour)) span.replaceWith(...span.childNodes);
  else seen.add(colour);
}
[...document.querySelectorAll("math")].slice(5).forEach(formula => formula.replaceWith("x"));
"""
"""Code in each colour and a few formulas are enough; thousands of them would take axe minutes."""


@pytest.mark.parametrize(("theme", "size"), [("light", DESK), ("dark", PHONE)])
def test_no_page_keeps_readers_out(
    tab: Any, address: str, names: list[str], theme: str, size: Any
) -> None:
    """axe-core finds no serious and no critical fault, with all folds open."""
    from axe_playwright_python.sync_playwright import Axe

    axe, faults = Axe(), []
    tab.emulate_media(color_scheme=theme, reduced_motion="reduce")
    tab.set_viewport_size(size)
    for name in names:
        tab.goto(address + name)
        tab.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        tab.evaluate(THIN_OUT)
        for fault in axe.run(tab, options={"resultTypes": ["violations"]}).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                first = fault["nodes"][0]["html"][:120]
                faults.append(f"{name}: {fault['id']}: {first}")
    assert not faults, "\n".join(faults)


def test_no_page_is_wider_than_a_phone(tab: Any, address: str, names: list[str]) -> None:
    tab.set_viewport_size(PHONE)
    for name in names:
        tab.goto(address + name)
        tab.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        assert tab.evaluate(WIDEST) <= PHONE["width"], name
    assert not tab.faults
    assert all(url.startswith((address, "data:")) for url in tab.requests)


def test_figures_of_several_panels_can_be_read_on_a_phone(tab: Any, address: str) -> None:
    """They keep a size at which their words can be read, in a box that scrolls."""
    tab.set_viewport_size(PHONE)
    tab.goto(address + LESSON)
    boxes = tab.locator("div.wide")
    assert boxes.count() >= 3
    for box in boxes.all():
        picture = box.locator("img").bounding_box()
        assert picture["width"] >= 500
        assert box.get_attribute("tabindex") == "0"
    for picture in tab.locator(".cell_output img").all():  # ten points high as it was drawn
        assert picture.evaluate("img => 15 * img.width / img.naturalWidth") > 6


@pytest.mark.parametrize("width", [1200, 1300, 1366, 1920])
def test_a_line_of_code_fits_on_a_desk(tab: Any, address: str, width: int) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(address + LESSON)
    longest = tab.evaluate(
        """[...document.querySelectorAll("article pre")]
        .filter(box => box.clientWidth && box.scrollWidth > box.clientWidth + 1)
        .map(box => Math.max(...box.innerText.split("\\n").map(line => line.length)))"""
    )
    assert not [length for length in longest if length <= 100]
    assert tab.evaluate(WIDEST) <= width


def test_paper_is_white_and_has_no_navigation(tab: Any, address: str) -> None:
    from playwright.sync_api import expect

    tab.emulate_media(media="print", color_scheme="dark")
    tab.set_viewport_size({"width": 700, "height": 900})  # the width of a sheet
    tab.goto(address + LESSON)
    expect(tab.locator("h1")).to_be_visible()
    for picture in tab.locator("article img").all():
        assert picture.evaluate("img => img.width <= img.parentElement.clientWidth")
    for hidden in (".sidebar-drawer", ".toc-drawer", ".mobile-header", ".theme-toggle-container"):
        expect(tab.locator(hidden).first).to_be_hidden()
    grounds = tab.evaluate(
        "[document.body, ...document.querySelectorAll('article, .highlight')].map("
        "box => getComputedStyle(box).backgroundColor)"
    )
    for ground in set(grounds):
        colour = [float(x) for x in ground[ground.index("(") + 1 : -1].split(",")]
        assert colour[3:] == [0] or min(colour[:3]) > 230, ground
    assert tab.evaluate(WIDEST) <= 700
    overflowing = "[...document.querySelectorAll('article pre')].filter(x => x.scrollWidth > x.clientWidth + 1)"
    assert tab.evaluate(f"{overflowing}.length") == 0


def test_formulas_are_set_in_the_font_of_the_site(tab: Any, address: str) -> None:
    tab.goto(address + LESSON)
    assert tab.evaluate(
        "document.fonts.ready.then(() => document.fonts.check('16px \"STIX Two Math\"'))"
    )
    assert any(url.endswith("stix-two-math.woff2") for url in tab.requests)
