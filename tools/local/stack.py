"""The local stack: `python -m tools.local.stack up|down|seed|status|token`, and `Stack`, a handle on a running one.

A stack is in a directory (`.local` by default), so several may run at the same time. It loses everything when it goes
down. Nothing here reaches a real AWS account: every client gets dummy keys and the emulator's address.
"""

import argparse
import fcntl
import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

import boto3
from botocore.config import Config

from tools.local import deployment
from tools.local.emulator import ACCOUNT, REGION, ROOT, aws_environment, emulator, launch_emulator
from tools.local.processes import HOST, LocalStackError
from tools.local.sandbox_process import launch_sandbox, python_path, sandbox
from tools.stack_name import STACK_NAME

DIRECTORY = ROOT / ".local"
OPS_USER = "ops@daifa.local"
LOG_GROUPS = f"/aws/lambda/{STACK_NAME}-"


@dataclass(frozen=True)
class LogLine:
    """One line that a function (`order-ingest`, for example) printed."""

    function: str
    at_ms: int
    text: str


@dataclass(frozen=True)
class Stack:
    """All addresses and names of a running stack, as in `stack.json` in its directory."""

    endpoint: str
    api_url: str
    sandbox_url: str
    region: str
    account: str
    outputs: dict[str, str]
    tables: dict[str, str]
    queues: dict[str, str]
    user_pool_id: str
    client_id: str
    ops_user: str
    ops_password: str
    started_at: str
    auth: bool
    build: str
    directory: str

    @classmethod
    def load(cls, directory: Path | None = None) -> Self:
        """The stack in `directory`, else in `$DAIFA_LOCAL`, else in `.local`.

        Raises:
            LocalStackError: there is no stack; `make up` starts one.
        """
        directory = directory or Path(os.environ.get("DAIFA_LOCAL", DIRECTORY))
        try:
            return cls(**json.loads((directory / "stack.json").read_text()))
        except FileNotFoundError:
            raise LocalStackError(f"No stack runs in {directory}. Start one with `make up`.") from None

    def client(self, service: str) -> Any:  # noqa: ANN401
        """A boto3 client for this stack, made once for each service."""
        return client(self.endpoint, service)

    def environment(self) -> dict[str, str]:
        """The environment for a child process that works only on this stack."""
        return aws_environment(self.endpoint) | {"DAIFA_LOCAL": self.directory}

    def function_logs(self, since: datetime | None = None) -> list[LogLine]:
        """What every function printed, oldest first, from CloudWatch Logs (`since` is to the millisecond)."""
        logs, start = self.client("logs"), int(since.timestamp() * 1000) if since else 0
        lines = []
        for group in _items(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=LOG_GROUPS):
            function = group["logGroupName"].removeprefix(LOG_GROUPS)
            events = _items(logs, "filter_log_events", "events", logGroupName=group["logGroupName"], startTime=start)
            lines += [LogLine(function, event["timestamp"], event["message"].rstrip()) for event in events]
        return sorted(lines, key=lambda line: line.at_ms)

    def ops_token(self) -> str:
        """An access token of the ops user, for the Authorization header of the ops API."""
        answer = self.client("cognito-idp").initiate_auth(
            ClientId=self.client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": self.ops_user, "PASSWORD": self.ops_password},
        )
        return str(answer["AuthenticationResult"]["AccessToken"])

    def stop_schedules(self) -> None:
        """Disable all schedules, so that a test or a bench can start their functions itself, when it wants."""
        scheduler = self.client("scheduler")
        for one in scheduler.list_schedules()["Schedules"]:
            schedule = scheduler.get_schedule(Name=one["Name"])
            kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")
            scheduler.update_schedule(**{name: schedule[name] for name in kept}, State="DISABLED")

    def save(self) -> None:
        """Write `stack.json`."""
        Path(self.directory, "stack.json").write_text(json.dumps(asdict(self), indent=2) + "\n")


@dataclass(frozen=True)
class Options:
    """How to run a stack. A port is 0 for any free one, None for the usual one if it is free."""

    directory: Path = DIRECTORY
    port: int | None = None
    sandbox_port: int | None = None
    auth: bool = False
    wait_scale: float = 1.0
    record: bool = False
    """Whether the emulator records what AWS would bill, for `tools.cost`."""
    workflow: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    batching_s: int = 0
    """How many seconds queues with a batching window gather messages; 0, so that nobody has to wait here."""
    seed: Path | None = None
    """The seed file; None for tools/local/seed.yaml."""


def up(options: Options = Options()) -> Stack:
    """Start, build, deploy and seed what is not up to date, and return the running stack.

    Raises:
        LocalStackError: something on this machine stops it; the message says what.
    """
    directory = options.directory.resolve()
    with _alone(directory):
        running = launch_emulator(
            directory, options.port, auth=options.auth, wait_scale=options.wait_scale, record=options.record
        )
        sandbox_url = launch_sandbox(directory, options.sandbox_port)
        with _alone(DIRECTORY / "building"):
            build = deployment.build()
        emulator(directory).wait_until_healthy(30)
        started_at = datetime.fromtimestamp(float(str(running["started_at"])), UTC).isoformat()
        try:
            current = Stack.load(directory)
        except LocalStackError:
            current = None
        if current and (current.started_at, current.build, current.sandbox_url) == (started_at, build, sandbox_url):
            return current
        stack = _deploy(options, running, sandbox_url, build, started_at)
        stack.save()
        seed(stack, options.seed)
        return stack


def down(directory: Path = DIRECTORY) -> list[str]:
    """Stop the stack in `directory`, and return the names of what was running."""
    directory = directory.resolve()
    (directory / "stack.json").unlink(missing_ok=True)
    return [process.name for process in (sandbox(directory), emulator(directory)) if process.stop()]


def seed(stack: Stack, file: Path | None = None) -> None:
    """Load a seed file, tools/local/seed.yaml if none is named, into `stack`.

    Raises:
        LocalStackError: the seed file was refused; the entries loaded before stay.
    """
    if importlib.util.find_spec("tools.seed") is None:
        print("There is no tools/seed.py: nothing is seeded.")
        return
    environment = stack.environment() | {"PYTHONPATH": python_path()}
    command = [sys.executable, "-m", "tools.seed", *([] if file is None else ["--file", str(file)])]
    if subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode:
        raise LocalStackError(
            "Seeding failed, see above. The stack runs; correct tools/local/seed.yaml, then `make seed`."
        )


@cache
def client(endpoint: str, service: str) -> Any:  # noqa: ANN401
    """A boto3 client with dummy keys for the emulator at `endpoint`."""
    config = Config(inject_host_prefix=False, retries={"total_max_attempts": 3}, max_pool_connections=50)
    make_client: Any = boto3.client  # typed as Any, because the service's name is only known at run time
    return make_client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - a dummy key for the emulator
        config=config,
    )


def _deploy(options: Options, running: dict[str, object], sandbox_url: str, build: str, started_at: str) -> Stack:
    endpoint = f"http://{HOST}:{running['port']}"
    parameters = {"FulfilmentWorkflowType": options.workflow, "BatchingSeconds": str(options.batching_s)}
    outputs = deployment.deploy(endpoint, lambda service: client(endpoint, service), parameters)
    return Stack(
        endpoint=endpoint,
        api_url=f"{endpoint}/_aws/execute-api/{outputs['HttpApiId']}",
        sandbox_url=sandbox_url,
        region=REGION,
        account=ACCOUNT,
        outputs=outputs,
        tables={name: value for name, value in outputs.items() if name.endswith("Table")},
        queues={name: value for name, value in outputs.items() if name.endswith(("QueueUrl", "DeadLettersUrl"))},
        user_pool_id=outputs["UserPoolId"],
        client_id=outputs["UserPoolClientId"],
        ops_user=OPS_USER,
        ops_password=_create_ops_user(client(endpoint, "cognito-idp"), outputs["UserPoolId"]),
        started_at=started_at,
        auth=bool(running["auth"]),
        build=build,
        directory=str(options.directory.resolve()),
    )


def _create_ops_user(cognito: Any, pool: str) -> str:  # noqa: ANN401
    """Create the ops user, and return its new password."""
    password = f"Aa1!{secrets.token_urlsafe(18)}"
    with suppress(cognito.exceptions.UsernameExistsException):  # the stack was deployed again into a running emulator
        cognito.admin_create_user(UserPoolId=pool, Username=OPS_USER, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username=OPS_USER, Password=password, Permanent=True)
    return password


def _items(service: Any, operation: str, key: str, **parameters: object) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for page in service.get_paginator(operation).paginate(**parameters):
        yield from page[key]


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the lock of `directory`; wait while another process has it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _print_stack(stack: Stack) -> None:
    for name, value in {
        "API": stack.api_url,
        "Partner sandbox": stack.sandbox_url or "-",
        "AWS endpoint": stack.endpoint,
        "Ops user": f"{stack.ops_user}  (password and everything else: {stack.directory}/stack.json)",
        "Logs": f"{stack.directory}/emulator.log, {stack.directory}/sandbox.log",
    }.items():
        print(f"  {name:<16} {value}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.local.stack", description="The stack on this machine.")
    parser.add_argument("command", choices=["up", "down", "seed", "status", "token"])
    parser.add_argument("--directory", type=Path, default=Path(os.environ.get("DAIFA_LOCAL", DIRECTORY)))
    parser.add_argument("--port", type=int, help="the emulator's; 0 = any free one; default 4566 if it is free")
    parser.add_argument("--sandbox-port", type=int, help="0 = any free one; default 4580 if it is free")
    auth = os.environ.get("AUTH") == "true"
    parser.add_argument(
        "--auth", action="store_true", default=auth, help="enforce IAM, each function with its own role"
    )
    parser.add_argument("--wait-scale", type=float, default=1.0, help="multiplies waits and retry delays of workflows")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 1 if it failed."""
    options = _parse(arguments)
    began = time.monotonic()
    try:
        match options.command:
            case "up":
                ports = options.port, options.sandbox_port
                stack = up(Options(options.directory, *ports, options.auth, options.wait_scale, record=True))
                print(f"The stack is up ({time.monotonic() - began:.0f} s).")
                _print_stack(stack)
            case "down":
                print(f"Stopped: {', '.join(down(options.directory)) or 'nothing was running'}.")
            case "seed":
                seed(Stack.load(options.directory))
            case "status":
                _print_stack(Stack.load(options.directory))
            case "token":
                print(Stack.load(options.directory).ops_token())
    except LocalStackError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
