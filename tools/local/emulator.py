"""The AWS emulator: how it is started, and the environment that makes AWS clients call only the emulator."""

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path

from tools.local.processes import HOST, Background, LocalStackError, choose_port

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".local" / "emulator-env" / "bin" / "python"
PROCESS = ROOT / "tools" / "local" / "emulator_process.py"
REGION = "us-east-1"
ACCOUNT = "000000000000"
USUAL_PORT = 4566
ARCHITECTURE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"


def aws_environment(endpoint: str, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` without real AWS settings, but with dummy keys (root for the emulator) and the emulator's endpoint."""
    kept = {name: value for name, value in base.items() if not name.startswith(("AWS_", "SAM_"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "SAM_CLI_TELEMETRY": "0",
    }


def emulator_environment(
    port: int, scratch: Path, *, auth: bool, wait_scale: float, record: Path | None = None
) -> dict[str, str]:
    """The environment that the emulator reads at start.

    `wait_scale` multiplies Wait states and retry delays of workflows. With `record`, every call that AWS would bill is
    written to that file (`call_record`). With `auth`, the requested actions are written next to the scratch folder
    (`access_record`).

    Functions inherit this environment, so almost nothing of this shell is in it: a variable that the template forgets
    must be missing here too.
    """
    base = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
    recording = {} if record is None else {"DAIFA_CALL_RECORD": str(record)}
    if auth:
        recording["DAIFA_ACCESS_RECORD"] = str(access_record(scratch.parent))
    return (
        aws_environment(f"http://{HOST}:{port}", base)
        | recording
        | {
            "AUTH": str(auth).lower(),
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SFN_WAIT_SCALE": str(wait_scale),
            "SFTP_ENABLED": "0",
            "TMPDIR": str(scratch),
        }
    )


def emulator(directory: Path) -> Background:
    """The emulator whose state is in `directory`."""
    return Background.of("emulator", directory, "/_ministack/health")


def call_record(directory: Path) -> Path:
    """The file in which the emulator of the stack in `directory` records what AWS would bill, if it records."""
    return directory / "calls.jsonl"


def access_record(directory: Path) -> Path:
    """The file in which the emulator of the stack in `directory` records requested actions, if it enforces IAM."""
    return directory / "access.jsonl"


def launch_emulator(
    directory: Path, port: int | None, *, auth: bool, wait_scale: float, record: bool = False
) -> dict[str, object]:
    """The settings of the running emulator; starts it, or restarts it if its settings were different."""
    process = emulator(directory)
    running = process.running()
    wanted = {"auth": auth, "wait_scale": wait_scale, "record": record}
    if running and wanted.items() <= running.items() and port in {None, running["port"]}:
        return running
    if not PYTHON.exists():
        raise LocalStackError("The emulator is not installed. Run `make up`, which installs it, or `make help`.")
    process.stop()
    chosen = choose_port(port, USUAL_PORT)
    scratch = directory / "scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    calls = call_record(directory)
    calls.write_text("")
    access_record(directory).write_text("")
    environment = emulator_environment(
        chosen, scratch, auth=auth, wait_scale=wait_scale, record=calls if record else None
    )
    settings = {"port": chosen, **wanted}
    return process.start([str(PYTHON), "-P", str(PROCESS)], environment, settings)
