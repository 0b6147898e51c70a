"""A web server for the tests that fetch."""

import pytest

from toys.web_server import running


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    with running() as site:
        yield site
