"""Everything that the README tells a newcomer to do works, and CI does it."""

import json
import os
import re
import subprocess

import pytest
import yaml

from tests.support.recordings import protocols
from tests.support.template_document import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
CI = (ROOT / ".ci" / "run").read_text()
COMMANDS = sorted(set(re.findall(r"make ([a-z][a-z0-9-]*)", README)))
RUN_BY_MAKE_TEST = {"test-unit", "test-e2e", "guarantees"}
ON_AWS_ONLY = {"deploy"}  # end-to-end tests run the same build and deployment against the emulator


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_a_target_with_a_line_of_help(command):
    assert re.search(rf"^{command}:.*## \w", MAKEFILE, re.MULTILINE)


def test_ci_runs_every_command():
    run = set(re.findall(r"^make ([a-z0-9-]+)", CI, re.MULTILINE))
    assert set(COMMANDS) - run - RUN_BY_MAKE_TEST - ON_AWS_ONLY == set()


def deploy(*arguments: str) -> str:
    """What `make deploy` would run, in a shell whose POSIX start-up file is named by $ENV."""
    return subprocess.run(
        ["make", "--no-print-directory", "-n", "deploy", *arguments],
        cwd=ROOT,
        env=os.environ | {"ENV": "/etc/start-up"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_deploy_builds_and_deploys_the_production_section_or_the_chosen_one():
    build, compiled, deployed = (deploy().index(step) for step in ("sam build", "tools.bytecode", "sam deploy"))
    assert build < compiled < deployed, "without bytecode a cold start takes twice as long"
    assert "sam deploy --config-env prod" in deploy()
    assert "`SECTION=default`" in README
    assert "sam deploy --config-env default" in deploy("SECTION=default")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_connector_it_shows_is_the_one_that_the_contract_test_knows():
    (connector,), (recorded,), (seed,) = (_blocks(language) for language in ("python", "json", "yaml"))
    assert connector == (ROOT / "tests/support/made_up/marketplaces/corner_shop.py").read_text(encoding="utf-8")
    assert recorded == (ROOT / "tests/data/contracts/corner-shop.json").read_text(encoding="utf-8")
    shop = json.loads(recorded)["connection"]
    assert yaml.safe_load(seed)["shops"] == {shop.pop("id"): {"channel": "corner-shop", **shop}}


def test_a_marketplace_that_only_receives_is_three_files_and_not_many_lines():
    lines = [len(block.splitlines()) for language in ("python", "json", "yaml") for block in _blocks(language)]
    assert sum(lines) <= 100


def test_it_names_every_capability_and_all_that_each_asks_for():
    named = set(re.findall(r"`(\w+)`", README[README.index("| to | the class has |") :]))
    for name, protocol in protocols().items():
        assert {name, *protocol.__protocol_attrs__} <= named


def test_every_place_it_points_at_exists():
    rooms = r"`((?:functions|tools|docs|events|tests|layers)/[^`<*]*)"
    paths = re.findall(r"\]\(([^)#]+)\)", README) + re.findall(rooms, README)
    assert len(paths) > 10
    inside = re.findall(r"`(?:…/)?((?:connectors|services|adapters|runtime)/[^`<*]*)", README)
    paths += [
        f"layers/dropship/dropship/{path}" for path in inside if "corner_shop" not in path
    ]  # it tells how to add it
    assert [path for path in paths if not (ROOT / path).exists()] == []
