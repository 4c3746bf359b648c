"""Show an order or a case as it is stored: `python -m tools.show main-shop#1001`, or `main-shop#refund-7`.

It prints the items as JSON: what is in the body in full names, its format and version, the size that is billed, and
the attributes of the indexes. It reads the local stack, or on AWS the table that is named:

    python -m tools.show main-shop#1001 --table <OrdersTable>

Region and keys come from the environment. The buyer's data is only shown with `--recipient`.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.stored_format import Unreadable
from dropship.ports import Unavailable
from tools.cost.units import item_bytes
from tools.local.processes import LocalStackError
from tools.local.stack import Stack
from tools.stored_items import opened

ORDER, CASE = "O#", "C#"
HIDDEN = "there is one; --recipient shows it"
KEPT = "there is one; it is not shown"


def tables_of(options: argparse.Namespace) -> list[tuple[ItemTable, str]]:
    """The tables to look in, each with the prefix of the keys of orders or cases there.

    Raises:
        LocalStackError: no table is named, and no stack is running.
    """
    if options.table:
        table = ItemTable(options.table)
        return [(table, ORDER), (table, CASE)]
    stack = Stack.load(options.directory)
    places = (("OrdersTable", ORDER), ("CasesTable", CASE))
    return [(ItemTable(stack.tables[name], lambda: stack.client("dynamodb")), family) for name, family in places]


def shown(item: Mapping[str, Any], *, buyer: bool) -> Iterator[tuple[str, Any]]:
    """Name and value of everything in the item, the body last; the buyer's data only if `buyer`.

    Raises:
        Unreadable: this version cannot read the body. Everything else was yielded before.
    """
    yield "bytes", item_bytes(item)
    yield from ((name, _plain(value)) for name, value in item.items() if name not in {"pk", "sk", "body", "recipient"})
    if "recipient" in item:
        yield "recipient", json.loads(item["recipient"]["S"]) if buyer else HIDDEN
    if "B" in item.get("body", {}):
        yield "format", item["body"]["B"][0]
    if "body" in item:
        body = json.loads(opened(item)["body"]["S"])
        if not buyer and "reason" in body:
            body["reason"] = HIDDEN  # a case's reason, which may be the buyer's words
        if "task_token" in body:
            body["task_token"] = KEPT  # anyone who has it can end a workflow
        yield "body", body


def _plain(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever the attribute is
    ((kind, content),) = value.items()
    if kind == "L":
        return [_plain(one) for one in content]
    return int(content) if kind == "N" else content


def show(name: str, options: argparse.Namespace) -> int:
    """Print what is stored under that name; returns 1 if there is nothing, or something cannot be read."""
    found: dict[str, dict[str, Any]] = {}
    unreadable = []
    for table, family in tables_of(options):
        for sort, item in sorted(table.read_all(f"{family}{name}", ("SOURCE", "STATE")).items(), reverse=True):
            about = found.setdefault(f"{family}{name} {sort}", {})
            try:
                for attribute, value in shown(item, buyer=options.recipient):
                    about[attribute] = value
            except Unreadable as problem:
                unreadable.append(f"{family}{name} {sort}: {problem}")
    if found:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        unreadable.append(f"There is no order and no case {name} in {options.table or 'the local stack'}.")
    print(*unreadable, sep="\n", end="\n" if unreadable else "", file=sys.stderr)
    return 1 if unreadable else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Show an order or a case; returns 1 if it cannot be shown."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.show", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="shop#order id, or shop#case id")
    parser.add_argument("--table", help="a table on AWS, the output OrdersTable or CasesTable of the stack")
    parser.add_argument("--directory", type=Path, help="the local stack's; default $DAIFA_LOCAL, else .local")
    parser.add_argument("--recipient", action="store_true", help="show the buyer's data, too")
    options = parser.parse_args(arguments)
    if not all(options.name.partition("#")):
        parser.error(f"{options.name}: expected shop#order id, or shop#case id")
    try:
        return show(options.name, options)
    except (LocalStackError, Unavailable, ClientError, BotoCoreError) as problem:
        print(f"{options.table or 'the local stack'}: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
