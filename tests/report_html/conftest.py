"""A results folder with all that the page shows, and a browser to open it in."""

import os
import shutil

import pytest

from harbench.report.html import report_of, write_report
from harbench.results import Store
from toys.reported_store import reported_store

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def chromium():
    named = os.environ.get("HARBENCH_CHROMIUM")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = chromium()
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on PATH ($HARBENCH_CHROMIUM)")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser):
    """Opens a file; what the console says, what breaks and what is asked for is in ``heard``."""
    contexts = []

    def opened(path, *, width=1280, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("dialog", lambda dialog: (page.heard.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.heard.append(request.url)
                if request.url not in (path.as_uri(), "data:,") else None)  # fmt: skip
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return reported_store(tmp_path_factory.mktemp("reported") / "results").folder


@pytest.fixture(scope="session")
def report(folder):
    return report_of(Store(folder))


@pytest.fixture(scope="session")
def page_file(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(report, path)
    return path
