"""The report in a real Chromium: nothing leaves the page, nothing complains, figures zoom, it prints, light and dark."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from babysit.reporting.page import write_report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install -e '.[dev]'")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    if not CHROMIUM:
        pytest.skip("there is no Chromium: install Debian's chromium, or say where one is with CHROMIUM=/path/to/it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, make_run):
    """A page that shows a report; `complaints` and `requests` are what the browser noted."""
    report = write_report(make_run("a"), [(0, 1, 0.4)])
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.complaints, page.requests = [], []
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.close()


def test_nothing_leaves_the_page_and_nothing_complains(page) -> None:
    assert page.complaints == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []
    broken = page.evaluate("[...document.images].filter(one => !one.complete || !one.naturalWidth).length")
    assert page.locator("img").count() > 20 and broken == 0


def test_figures_zoom_and_come_back(page) -> None:
    plot, ticks = page.locator("#curves svg.plot").first, page.locator("#curves g.ticks").first
    plot.scroll_into_view_if_needed()
    before, box = ticks.text_content(), plot.locator(".ground").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    left, _, width, _ = map(float, plot.get_attribute("viewBox").split())
    assert left == pytest.approx(250, abs=5) and width == pytest.approx(250, abs=5)
    assert ticks.text_content() != before
    plot.dblclick()
    assert plot.get_attribute("viewBox") == "0 0 1000 1000" and ticks.text_content() == before
    assert page.complaints == []


@pytest.mark.parametrize("width", [1100, 390])
def test_it_is_never_wider_than_the_window(page, width) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dark_and_light_differ_and_print_is_light(page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    colors = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colors[scheme] = page.evaluate(ground)
    page.emulate_media(media="print", color_scheme="dark")
    assert colors["light"] != colors["dark"] and page.evaluate(ground) == colors["light"]
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_learning_rate_does_not_stand_alone(page) -> None:
    boxes = [page.locator("#curves figure").nth(place).bounding_box() for place in range(3)]
    assert boxes[1]["y"] == boxes[2]["y"] and boxes[0]["y"] < boxes[1]["y"]


def test_it_is_whole_without_scripts(browser, make_run) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(Path(write_report(make_run("b"))).as_uri())
    assert page.locator("section").count() == 15
    assert page.locator("#curves g.ticks text").count() > 10
    assert not page.locator(".zoom-hint").is_visible()
    context.close()
