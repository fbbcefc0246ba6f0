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
    content: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text("utf-8"))
    if "jobs" in content:
        return [s["run"] for s in content["jobs"]["review"]["steps"] if "run" in s]
    return list(content["review"]["script"])


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
