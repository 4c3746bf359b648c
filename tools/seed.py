"""Load a seed file into the registry: `python -m tools.seed`. On the local stack it makes up the secrets, too.

On AWS give the table and what the placeholders stand for:

    python -m tools.seed --file shops.yaml --table <RegistryTable> --stage prod --set API_URL=https://…

Region and keys come from the environment. Secrets are left alone there: it prints the names of the parameters that
must exist, by what the connector of each channel is able to do. `--check` prints them, too, and writes nothing. On AWS
a file is refused for what suits only the local stack, such as the short leases of `quick-shop` in
tools/local/seed.yaml.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dropship.adapters.dynamodb_registry_writer import RegistryWriter
from dropship.adapters.seed_file import InvalidSeed, Seed, load_seed
from dropship.connectors import find
from dropship.connectors.contract import (
    Cancels,
    Downloads,
    Finds,
    Greets,
    Lists,
    Places,
    Queries,
    QueriesMany,
    Receives,
    RefreshesTokens,
    Subscribes,
    UnknownChannel,
    WritesBack,
    able,
)
from tools.local.made_up_secrets import complete, read_secrets, write_secrets
from tools.local.stack import client

if TYPE_CHECKING:
    from dropship.domain.registry.connections import Shop, Supplier, Tracker

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "tools" / "local" / "seed.yaml"
LOCAL_STAGE = "local"
# The values of the placeholders when a file is only checked.
EXAMPLE_URLS = {"API_URL": "https://api.example.com", "SANDBOX_URL": "https://sandbox.example.com"}

SECRET_FOR: dict[str, tuple[type[object], ...]] = {
    "webhook": (Receives, Greets),
    "api": (Downloads, Lists, WritesBack, Places, Finds, Cancels, Queries, QueriesMany, Subscribes, RefreshesTokens),
}
"""Each kind of secret, and the capabilities that need it: what we receive is checked, what we send is signed."""


def knows_channel(channel: str, role: str) -> bool:
    """Whether there is a connector of that channel for that role."""
    try:
        return find(channel).role == role
    except UnknownChannel:
        return False


def read_seed(file: Path, placeholders: Mapping[str, str], *, local: bool) -> Seed:
    """The checked seed; raises InvalidSeed with all errors. `local` is for the local stack, see `load_seed`."""
    name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
    return load_seed(file.read_bytes(), str(name), placeholders, knows_channel, local=local)


def connections(seed: Seed) -> list[tuple[str, str]]:
    """(channel, id) of everything that has secrets."""
    entries: tuple[Shop | Supplier | Tracker, ...] = (*seed.shops, *seed.suppliers, *seed.trackers)
    return [(entry.channel, entry.id) for entry in entries]


def needed_secrets(seed: Seed) -> list[str]:
    """`webhook/<channel>/<id>` and `api/<channel>/<id>` of each connection whose connector has a use for it."""
    return [
        f"{kind}/{channel}/{name}"
        for channel, name in connections(seed)
        for kind, capabilities in SECRET_FOR.items()
        if any(able(find(channel).connector, capability) for capability in capabilities)
    ]


def seed_local(seed: Seed, stack: Mapping[str, Any], secrets_file: Path) -> int:
    """Write the registry and made-up secrets of a local stack, and return how many entries were removed.

    Existing secrets are kept.
    """

    def service(name: str) -> Any:  # noqa: ANN401 - a boto3 client
        return client(stack["endpoint"], name)

    secrets = complete(read_secrets(secrets_file), connections(seed))
    write_secrets(secrets_file, secrets)
    for kind, by_connection in secrets.items():
        for connection, content in by_connection.items():
            service("ssm").put_parameter(
                Name=f"/daifa/{LOCAL_STAGE}/{kind}/{connection}",
                Value=json.dumps({"secrets": content} if kind == "webhook" else content),
                Type="SecureString",
                Overwrite=True,
            )
    writer = RegistryWriter(stack["outputs"]["RegistryTable"], lambda: service("dynamodb"))
    return writer.put_all(seed, prune=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check or load; returns 2 if the seed file or an argument is refused."""
    options = _parse(arguments)
    stack = None if options.check or options.table else _read_stack(options.stack)
    try:
        seed = read_seed(options.file, _placeholders(options, stack), local=stack is not None)
    except (InvalidSeed, OSError) as refused:
        print(refused, file=sys.stderr)
        return 2
    if stack is not None:
        removed = seed_local(seed, stack, options.secrets or options.stack.with_name("secrets.json"))
    elif options.table:
        removed = RegistryWriter(options.table).put_all(seed, prune=options.prune)
    else:
        removed = 0
    _print(seed, removed)
    if options.table or options.check:
        _print_needed_secrets(seed, options.stage)
    return 0


def _placeholders(options: argparse.Namespace, stack: Mapping[str, Any] | None) -> dict[str, str]:
    given = dict(pair.split("=", 1) for pair in options.set)
    if stack is not None:
        return {"API_URL": stack["api_url"], "SANDBOX_URL": stack["sandbox_url"]} | given
    return EXAMPLE_URLS | given if options.check else given


def _read_stack(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except FileNotFoundError:
        sys.exit(f"There is no {file}. Start the stack with `make up`, or name a table with --table.")


def _print(seed: Seed, removed: int) -> None:
    offers = sum(len(listed) for by_sku in seed.offers.values() for listed in by_sku.values())
    counts = {"shops": seed.shops, "suppliers": seed.suppliers, "trackers": seed.trackers, "carriers": seed.carriers}
    for kind, entries in counts.items():
        print(f"  {kind:<10} {len(entries):>4}  {', '.join(entry.id for entry in entries)}")
    print(f"  {'offers':<10} {offers:>4}")
    if seed.shops and not offers:
        print("  Without offers no order can be dispatched: each is put on hold with NO_SOURCE.")
    if removed:
        print(f"  {'removed':<10} {removed:>4}  that the file no longer has")


def _print_needed_secrets(seed: Seed, stage: str) -> None:
    print("Secrets that must exist as SSM parameters (SecureString, JSON):")
    for name in needed_secrets(seed):
        print(f"  /daifa/{stage}/{name}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    stack = Path(os.environ.get("DAIFA_LOCAL", ROOT / ".local")) / "stack.json"
    parser = argparse.ArgumentParser(
        prog="python -m tools.seed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=SEED, help="the seed file; default tools/local/seed.yaml")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--check", action="store_true", help="only check the file for AWS; nothing is written")
    parser.add_argument("--stack", type=Path, default=stack, help="stack.json of the local stack to load into")
    parser.add_argument(
        "--secrets", type=Path, help="the local stack's secrets; default secrets.json beside stack.json"
    )
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="what ${NAME} stands for")
    where.add_argument("--table", help="the registry table on AWS, the output RegistryTable of the stack")
    parser.add_argument("--stage", default="prod", help="the stage on AWS, for the names of the secrets; default prod")
    parser.add_argument("--prune", action="store_true", help="on AWS: remove entries that the file no longer has")
    options = parser.parse_args(arguments)
    for pair in options.set:
        if "=" not in pair:
            parser.error(f"--set {pair}: expected NAME=VALUE")
    return options


if __name__ == "__main__":
    sys.exit(main())
