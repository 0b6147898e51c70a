"""Every plugin that harbench brings passes the suite that others are held to."""

import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from harbench.plugins import Origin, load_plugins
from harbench.testing.checking import Item, everything
from harbench.testing.pytest_items import judge

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def first_party() -> list[Item]:
    """All that pyproject.toml names, whether harbench is installed or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    items = []
    for plugin, module in project["entry-points"]["harbench"].items():
        origin = Origin(plugin, "harbench", "", module)
        for kind in ("models", "datasets", "analyses"):
            found: list[object] = []
            register: Callable[..., None] = getattr(
                import_module(module), f"register_{kind}", lambda register: None
            )
            register(register=found.append)
            singular = {"models": "model", "datasets": "dataset", "analyses": "analysis"}[kind]
            items += [Item(singular, thing.name, thing, origin) for thing in found]
    return items


ITEMS = first_party()
SUBJECTS: dict[tuple[str, str], object] = {}
CASES = [
    pytest.param(item, check, id=f"{item.kind}-{item.name}-{check.name}")
    for item in ITEMS
    for check in item.checks()
]


@pytest.fixture(scope="module", autouse=True)
def _each_subject_until_the_module_ends():
    yield
    SUBJECTS.clear()


@pytest.mark.parametrize(("item", "check"), CASES)
@pytest.mark.filterwarnings("ignore::harbench.testing.ConformanceWarning")
def test_first_party(item, check):
    if check.name == "worker" and not installed(item):
        pytest.skip("harbench is not installed: a worker would not find the plugin")
    place = (item.kind, item.name)
    if place not in SUBJECTS:
        SUBJECTS.clear()
        SUBJECTS[place] = item.subject()
    judge(item, check, SUBJECTS[place])


def installed(item: Item) -> bool:
    registry = load_plugins()
    return any(found.name == item.name for found in everything(registry))


def test_all_kinds_are_there():
    assert {item.kind for item in ITEMS} == {"model", "dataset", "analysis"}
    assert len(CASES) > 15 * len(ITEMS)
