"""Background processes that outlive the command that started them, each with a record file and a log."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HOST = "127.0.0.1"
_children: list[subprocess.Popen[bytes]] = []


class LocalStackError(Exception):
    """Something on this machine stops the stack from running; the message says what to do."""


@dataclass(frozen=True)
class Background:
    """One server that we started. Its record file says its process id; its command proves that it is ours."""

    name: str
    record: Path
    health_path: str

    @classmethod
    def of(cls, name: str, directory: Path, health_path: str) -> Self:
        """The process `name` whose record and log are in `directory`."""
        return cls(name, directory / f"{name}.json", health_path)

    @property
    def log(self) -> Path:
        """Everything the process prints."""
        return self.record.with_suffix(".log")

    def running(self) -> dict[str, object] | None:
        """The settings it was started with (and `pid`, `port`, `started_at`), or None if it does not run."""
        try:
            settings: dict[str, object] = json.loads(self.record.read_text())
        except FileNotFoundError:
            return None
        command = subprocess.run(
            ["ps", "-ww", "-p", str(settings["pid"]), "-o", "command="], capture_output=True, text=True, check=False
        ).stdout
        return settings if str(settings["marker"]) in command else None

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], settings: Mapping[str, object]
    ) -> dict[str, object]:
        """Start `command` in its own session and write the record. `settings` must have the `port`."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            child = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        _children.append(child)  # it should outlive this process, so we do not wait for it
        record = {**settings, "pid": child.pid, "marker": command[2], "started_at": time.time()}
        self.record.write_text(json.dumps(record, indent=2))
        return record

    def wait_until_healthy(self, seconds: float) -> None:
        """Wait until the health path answers 200.

        Raises:
            LocalStackError: it ended or did not answer within `seconds`; the message has the end of its log.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            settings = self.running()
            if settings is None:
                break
            if answers(f"http://{HOST}:{settings['port']}{self.health_path}"):
                return
            time.sleep(0.1)
        last_words = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        raise LocalStackError(f"The {self.name} did not come up. The end of {self.log}:\n{last_words}")

    def stop(self, seconds: float = 10) -> bool:
        """Stop it and its children; returns True if it was running."""
        settings = self.running()
        if settings is not None:
            pid = int(str(settings["pid"]))
            for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, seconds)):
                _signal_group(pid, number)
                if _ended(pid, patience):
                    break
        self.record.unlink(missing_ok=True)
        return settings is not None


def answers(url: str) -> bool:
    """Whether `url` answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def choose_port(wanted: int | None, usual: int) -> int:
    """The port to use: `wanted`, where 0 is any free one; if it is None, `usual` if that is free, else any free one."""
    if wanted:
        return wanted
    candidates = [0] if wanted == 0 else [usual, 0]
    for candidate in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalStackError("This machine has no free port.")


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # a child of this process stays a zombie until it is waited for
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
