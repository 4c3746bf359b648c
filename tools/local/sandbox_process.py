"""The partner sandbox as a background process of a stack."""

import importlib.util
import os
import sys
from pathlib import Path

from tools.local.deployment import fingerprint
from tools.local.emulator import ROOT
from tools.local.processes import HOST, Background, choose_port

USUAL_PORT = 4580


def sandbox(directory: Path) -> Background:
    """The partner sandbox of the stack in `directory`."""
    return Background.of("sandbox", directory, "/health")


def launch_sandbox(directory: Path, port: int | None) -> str:
    """The address of the partner sandbox, restarted if its code has changed; empty if there is no sandbox."""
    if importlib.util.find_spec("tools.local.sandbox") is None:
        print("There is no tools/local/sandbox: no partner answers.")
        return ""
    process = sandbox(directory)
    code = fingerprint(ROOT, ["tools/local/sandbox"], {})
    running = process.running()
    if running is None or running["code"] != code:
        process.stop()
        chosen = choose_port(port, USUAL_PORT)
        command = [sys.executable, "-m", "tools.local.sandbox", "--port", str(chosen), "--directory", str(directory)]
        environment = os.environ | {"PYTHONPATH": python_path(), "DAIFA_LOCAL": str(directory)}
        running = process.start(command, environment, {"port": chosen, "code": code})
    process.wait_until_healthy(15)
    return f"http://{HOST}:{running['port']}"


def python_path() -> str:
    """The module path of our own child processes."""
    return os.pathsep.join([str(ROOT), str(ROOT / "layers" / "dropship")])
