"""Build and deploy template.yaml to the emulator, as `sam` does for AWS, but only if something changed."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.bytecode import compile_build
from tools.local.emulator import ACCOUNT, ARCHITECTURE, REGION, ROOT, aws_environment
from tools.local.http_api import import_routes, resolve
from tools.local.processes import LocalStackError
from tools.stack_name import STACK_NAME

ARTIFACTS = f"{STACK_NAME}-artifacts"
PARAMETERS = {"Stage": "local", "Architecture": ARCHITECTURE, "AllowPrivateAddresses": "true", "RetryBaseSeconds": "1"}
BUILD = ROOT / ".local" / "build"
BUILT = ROOT / ".local" / "build.sha256"


def fingerprint(root: Path, folders: Sequence[str], parameters: Mapping[str, str]) -> str:
    """A hash of `parameters` and of every file in `folders` (folders or files) below `root`; caches do not count."""
    digest = hashlib.sha256(json.dumps(dict(parameters), sort_keys=True).encode())
    for folder in folders:
        for path in sorted([root / folder, *(root / folder).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def build(root: Path = ROOT) -> str:
    """Build all that is deployed into `BUILD`, and return its fingerprint."""
    wanted = fingerprint(root, ["template.yaml", "functions", "layers"], PARAMETERS)
    if not (BUILT.exists() and BUILT.read_text() == wanted and (BUILD / "template.yaml").exists()):
        BUILT.unlink(missing_ok=True)
        template = root / "template.yaml"
        overrides = [f"{name}={value}" for name, value in PARAMETERS.items()]
        _sam(["build", "--template", str(template), "--build-dir", str(BUILD), "--cached", "--parallel",
              "--cache-dir", str(BUILD.with_name("build-cache")), "--parameter-overrides", *overrides],
             aws_environment(""))  # fmt: skip
        compile_build(BUILD)
        BUILT.write_text(wanted)
    return wanted


def deploy(endpoint: str, session: Any, parameters: Mapping[str, str] = {}) -> dict[str, str]:  # noqa: ANN401
    """Deploy the build and give the HTTP API its routes. Returns the stack's outputs.

    `session` is a function from a service's name to its client. `parameters` are further parameters of the template.
    """
    session("s3").create_bucket(Bucket=ARTIFACTS)
    overrides = [f"{name}={value}" for name, value in {**PARAMETERS, **parameters}.items()]
    _sam(["deploy", "--template", str(BUILD / "template.yaml"), "--stack-name", STACK_NAME, "--s3-bucket", ARTIFACTS,
          "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND",
          "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar",
          "--parameter-overrides", *overrides], aws_environment(endpoint))  # fmt: skip
    _import_http_apis(session)
    described = session("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


def _import_http_apis(session: Any) -> None:  # noqa: ANN401
    formation = session("cloudformation")
    template = formation.get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    template = json.loads(template) if isinstance(template, str) else template
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    values = reference_values(resources)
    for resource in resources:
        if resource["ResourceType"] == "AWS::ApiGatewayV2::Api":
            body = template["Resources"][resource["LogicalResourceId"]]["Properties"].get("Body", {})
            import_routes(session("apigatewayv2"), resource["PhysicalResourceId"], resolve(body, values))


def reference_values(resources: list[dict[str, str]]) -> dict[str, str]:
    """The values of `Ref` and, for functions, `GetAtt … Arn` in the deployed template."""
    values = {
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
    }
    values |= PARAMETERS | {"AWS::StackName": STACK_NAME}
    for resource in resources:
        name, physical = resource["LogicalResourceId"], resource["PhysicalResourceId"]
        values[name] = physical
        if resource["ResourceType"] == "AWS::Lambda::Function":
            values[f"{name}.Arn"] = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{physical}"
    return values


def _sam(arguments: list[str], environment: Mapping[str, str]) -> None:
    tools = str(Path(sys.executable).parent)
    child = dict(environment) | {"PATH": f"{tools}:{environment.get('PATH', '')}", "SAM_CLI_POLL_DELAY": "0.5"}
    child.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "samcli", *arguments]
    done = subprocess.run(command, env=child, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LocalStackError(f"`sam {arguments[0]}` failed:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}")
