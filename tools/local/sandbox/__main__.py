"""Run the sandbox: `python -m tools.local.sandbox --port 4580 --directory .local`."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from tools.local.sandbox.control import help_text
from tools.local.sandbox.players import players
from tools.local.sandbox.server import Server


def description() -> str:
    """Which partners are played, and at which addresses."""
    partners = [f"/{kind.address:<22}{kind.about}" for kind in players().values()]
    return f"""Plays the partners on this machine, over the same wire contracts as the real ones.

partners  {"\n          ".join(partners)}
They send their signed webhooks to the API named in stack.json, with the secrets in secrets.json."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns 1 if the port is taken."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.local.sandbox",
        description=description(),
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=4580, help="0 for any free one; default %(default)s")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path(os.environ.get("DAIFA_LOCAL", ".local")),
        help="where stack.json and secrets.json are or will be; default $DAIFA_LOCAL, else .local",
    )
    options = parser.parse_args(arguments)
    try:
        server = Server(options.port, options.directory)
    except OSError as problem:
        print(f"The sandbox cannot listen on port {options.port}: {problem.strerror}.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"The partner sandbox listens on {server.url}", flush=True)
    with server:
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
