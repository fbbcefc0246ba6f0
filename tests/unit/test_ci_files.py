"""deploy/ci is what a user copies into a pipeline: it must be right as it stands."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.support.programs import CHECKOUT

if TYPE_CHECKING:
    from tests.support.programs import Run

FOLDER = CHECKOUT / "deploy" / "ci"
FILES = {
    "github-review.yml": "vendor.github-workflows",
    "gitlab-review.yml": "vendor.gitlab-ci",
}


def _scripts(name: str) -> list[str]:
    """Return the shell scripts of the pipeline in file *name*."""
    content = _content(name)
    if "jobs" in content:
        jobs = content["jobs"].values()
        return [s["run"] for job in jobs for s in job["steps"] if "run" in s]
    return [script for job in content.values() for script in job["script"]]


def _content(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    return found


@pytest.mark.parametrize(("name", "schema"), FILES.items())
def test_a_pipeline_follows_its_schema(run: Run, name: str, schema: str) -> None:
    """The service would take it."""
    done = run("check-jsonschema", "--builtin-schema", schema, FOLDER / name)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", FILES)
def test_the_scripts_of_a_pipeline_parse(name: str) -> None:
    """A shell reads each to its end, and Python what is handed to it."""
    for script in _scripts(name):
        subprocess.run(["sh", "-n", "-c", script], check=True)
        for text in re.findall(r"<<'PYTHON'\n(.*?)\nPYTHON\n", script, re.DOTALL):
            compile(text, name, "exec")


@pytest.mark.parametrize("name", FILES)
def test_a_pipeline_names_options_that_exist(run: Run, name: str) -> None:
    """The command has every option that the job gives it."""
    words = "\n".join(_scripts(name)).partition("platform review")[2]
    given = set(re.findall(r"(?<![\w-])--[a-z-]+", words.partition("\n\n")[0]))

    help_text = run("platform", "review", "--help").stdout

    assert {"--git-base", "--out"} <= given
    assert [option for option in given if option not in help_text] == []


def test_no_token_that_writes_meets_foreign_code() -> None:
    """What a pull request brings runs where the token may only read."""
    jobs = _content("github-review.yml")["jobs"]
    used = [step.get("uses", "") for step in jobs["report"]["steps"]]

    assert jobs["review"]["permissions"] == {"contents": "read"}
    assert jobs["review"]["steps"][0]["with"]["persist-credentials"] is False
    assert not any(name.startswith("actions/checkout") for name in used)
    assert not any("run" in step for step in jobs["report"]["steps"])
    assert "head.repo.full_name == github.repository" in jobs["report"]["if"]
    note = _content("gitlab-review.yml")["review:note"]
    assert note["variables"]["GIT_STRATEGY"] == "none"
    assert note["environment"]["name"] == "review"
