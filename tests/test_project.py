"""What the project promises about itself: README, licences, shipped benchmarks and schema."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, metadata, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from harbench.config import json_schema, load

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def shell_blocks(path):
    return re.findall(r"^```sh\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S)


def test_the_readmes_two_commands_are_the_first_two_of_it():
    install_and_run, install_and_test, *_ = shell_blocks(ROOT / "README.md")
    assert install_and_run == (
        "pip install -c constraints.txt -e . && harbench run benchmarks.yaml\n"
    )
    assert install_and_test == "pip install -c constraints.txt -e '.[dev]' && pytest\n"


def test_ci_runs_the_commands_that_the_readme_prints():
    script = (ROOT / ".ci/run").read_text("utf-8")
    function = re.search(r"^readme_command\(\) \{.*?^\}", script, re.M | re.S)
    assert function is not None
    for number, block in enumerate(shell_blocks(ROOT / "README.md")[:2], 1):
        found = subprocess.run(
            ["bash", "-c", f"{function[0]}\nreadme_command {number}"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert found.stdout == block
        assert f'eval "$(readme_command {number})"' in script


def test_links_in_readme_and_docs_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_model_of_the_readme_registers_and_builds():
    import torch

    (code,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert len([line for line in code.splitlines() if line.strip()]) <= 25
    namespace: dict = {}
    exec(compile(code, "README.md", "exec"), namespace)
    found = []
    namespace["register_models"](found.append)
    assert [model.name for model in found] == ["my-net"]
    assert found[0].build(6, 50, 7)(torch.zeros(2, 6, 50)).shape == (2, 7)


def pinned():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def wanted(extra=""):
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"].get(extra, [])]:
        yield Requirement(line)


def test_constraints_pin_every_dependency_within_its_range():
    versions = {name.lower().replace("_", "-"): version for name, version in pinned().items()}
    for requirement in wanted("dev"):
        version = versions[requirement.name.lower()]
        assert requirement.specifier.contains(version.split("+")[0], prereleases=True), requirement


def closure():
    """Names of all distributions that harbench needs to run, dependencies of dependencies too."""
    installed = {d.metadata["Name"].lower().replace("_", "-") for d in distributions()}
    found, waiting = set(), [requirement.name for requirement in wanted()]
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found or name not in installed:
            continue
        found.add(name)
        for line in requires(name) or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return found


def licence_of(name):
    facts = metadata(name)
    classifiers = [c for c in facts.get_all("Classifier") or [] if c.startswith("License")]
    # A whole licence text in the field (as some do) is told by its first lines.
    return " | ".join([facts.get("License-Expression") or "", *classifiers,
                       (facts.get("License") or "")[:200]])  # fmt: skip


def test_no_dependency_is_gpl_or_agpl():
    names = closure()
    assert {"torch", "pydantic-core", "urllib3", "thop", "seglearn"} <= names
    assert "ultralytics-thop" not in names
    for name in sorted(names):
        licence = licence_of(name)
        assert licence.strip(" |"), f"{name} states no licence"
        strong = re.search(r"(?<![L])A?GPL|(?<!Lesser )General Public", licence)
        assert not strong, f"{name}: {licence}"


def test_the_shipped_benchmarks_load():
    found = load(ROOT / "benchmarks.yaml")
    assert {"quickstart", "table1"} <= set(found.names)
    quickstart = found.benchmarks[0]
    assert (quickstart.dataset, len(quickstart.seeds), len(quickstart.models)) == ("spar", 2, 13)


def test_the_committed_schema_is_the_schema():
    committed = json.loads((ROOT / "docs/benchmarks.schema.json").read_text("utf-8"))
    assert committed == json.loads(json.dumps(json_schema())), (
        "run: harbench schema > docs/benchmarks.schema.json"
    )


@pytest.mark.parametrize("page", ["README.md", "docs/results.md"])
def test_pages_name_no_option_that_is_not_there(page):
    text = (ROOT / page).read_text("utf-8")
    helps = subprocess.run(
        [sys.executable, "-c",
         "import harbench.cli.app as a, typer; from typer.main import get_command;"
         "c = get_command(a.app); print(*[o for s in c.commands.values() for k in [s, "
         "*getattr(s, 'commands', {}).values()] for p in k.params for o in p.opts], "
         "*[o for p in c.params for o in p.opts])"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for option in set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text)) - {"-->"}:
        assert option in helps, f"{page} names {option}"
