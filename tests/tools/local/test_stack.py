"""The decisions of the local stack: what is rebuilt, what a child process sees, and what belongs to which stack."""

import json
import os

import pytest

from tools.local.deployment import fingerprint, reference_values
from tools.local.emulator import aws_environment, emulator_environment
from tools.local.processes import Background, LocalStackError
from tools.local.stack import Stack

FOLDERS = ["template.yaml", "functions"]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "functions" / "webhook").mkdir(parents=True)
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    (tmp_path / "functions" / "webhook" / "app.py").write_text("x = 1\n")
    return tmp_path


def test_the_same_sources_have_the_same_fingerprint_and_caches_do_not_count(project):
    before = fingerprint(project, FOLDERS, {})
    cache = project / "functions" / "webhook" / "__pycache__"
    cache.mkdir()
    (cache / "app.pyc").write_bytes(b"anything")

    assert fingerprint(project, FOLDERS, {}) == before


@pytest.mark.parametrize("file", ["template.yaml", "functions/webhook/app.py", "functions/webhook/new.py"])
def test_any_changed_or_new_source_changes_the_fingerprint(project, file):
    before = fingerprint(project, FOLDERS, {})

    (project / file).write_text("x = 2\n")

    assert fingerprint(project, FOLDERS, {}) != before


def test_other_parameters_change_the_fingerprint(project):
    assert fingerprint(project, FOLDERS, {"Architecture": "arm64"}) != fingerprint(project, FOLDERS, {})


def test_a_child_process_sees_no_real_aws_account():
    shell = {"PATH": "/bin", "AWS_PROFILE": "company", "AWS_SESSION_TOKEN": "real", "AWS_ACCESS_KEY_ID": "real"}

    child = aws_environment("http://127.0.0.1:1", shell)

    assert "real" not in child.values()
    assert "company" not in child.values()
    assert child["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert child["AWS_CONFIG_FILE"] == child["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert child["PATH"] == "/bin"


def test_functions_inherit_nothing_of_the_shell_that_starts_the_emulator(monkeypatch, tmp_path):
    monkeypatch.setenv("ORDERS_TABLE", "forgotten in the template")
    monkeypatch.setenv("PYTHONPATH", "layers/dropship")

    environment = emulator_environment(4566, tmp_path, auth=True, wait_scale=0.1)

    assert not environment.keys() & {"ORDERS_TABLE", "PYTHONPATH"}
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"
    assert environment["SFN_WAIT_SCALE"] == "0.1"


def test_references_are_physical_ids_and_functions_have_arns():
    values = reference_values(
        [
            {"LogicalResourceId": "Pool", "PhysicalResourceId": "pool-1", "ResourceType": "AWS::Cognito::UserPool"},
            {"LogicalResourceId": "Hook", "PhysicalResourceId": "hook-1", "ResourceType": "AWS::Lambda::Function"},
        ]
    )

    assert values["Pool"] == "pool-1"
    assert values["Hook.Arn"] == "arn:aws:lambda:us-east-1:000000000000:function:hook-1"


def test_a_record_of_a_process_that_is_not_ours_is_not_a_running_process(tmp_path):
    process = Background.of("emulator", tmp_path, "/health")
    process.record.write_text(json.dumps({"pid": os.getpid(), "marker": "not in our command", "port": 1}))

    assert process.running() is None
    assert process.stop() is False


def test_without_a_stack_the_message_says_how_to_start_one(tmp_path):
    with pytest.raises(LocalStackError, match="make up"):
        Stack.load(tmp_path)
