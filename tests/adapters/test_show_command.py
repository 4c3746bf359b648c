"""`python -m tools.show`: what it shows of an item, what it hides, and what it says when it cannot show it."""

import json
from types import SimpleNamespace

import pytest

from dropship.adapters import session
from dropship.adapters.dynamodb_cases import DynamoCases
from dropship.adapters.dynamodb_items import ItemTable
from dropship.adapters.dynamodb_orders import DynamoOrders
from dropship.adapters.stored_format import FORMAT
from dropship.domain.exchange.marketplace import Recipient
from tests.support.aggregate_examples import KEY, case, marketplace_order, order, shipped
from tools import show

NAME, CASE = str(KEY), "main-shop#refund-509562969"
STATE, SOURCE = f"O#{NAME} STATE", f"O#{NAME} SOURCE"


@pytest.fixture
def stack(tables, monkeypatch):
    """A running stack, with an order, its source and a case, in moto."""
    found = SimpleNamespace(tables=tables, client=lambda service: getattr(session, service)())
    monkeypatch.setattr(show.Stack, "load", lambda _directory: found)
    orders, cases = DynamoOrders(ItemTable(tables["OrdersTable"])), DynamoCases(ItemTable(tables["CasesTable"]))
    orders.put_source(marketplace_order(), Recipient(name="李四", city="杭州"))
    orders.save(shipped(), 0)
    cases.save(case().model_copy(update={"reason": "my neighbour has one", "task_token": "token-1"}), 0)
    return found


@pytest.fixture
def asked(stack, capsys):
    """Run the command. Returns its output, its error output, and the exit code."""

    def ask(*arguments):
        code = show.main(arguments)
        shown, said = capsys.readouterr()
        return json.loads(shown or "null"), shown + said, code

    return ask


def test_an_order_is_shown_in_full_names_with_its_version_format_size_and_what_it_is_listed_by(asked):
    shown, _, code = asked(NAME)
    assert (list(shown), code) == ([STATE, SOURCE], 0)
    state = shown[STATE]
    assert state["body"] == json.loads(shipped().model_dump_json(exclude_defaults=True))
    assert (state["version"], state["format"]) == (1, FORMAT)
    assert 200 < state["bytes"] < 1024
    assert state["shipped_at"] == "2026-11-21T12:00:00.250Z"
    assert shown[SOURCE]["body"]["lines"][0]["title"] == "IPod Nano - 8GB"


def test_why_an_order_needs_a_person_is_shown_as_it_is_listed(asked, tables):
    DynamoOrders(ItemTable(tables["OrdersTable"])).save(order(missing=["city"]), 1)
    assert asked(NAME)[0][STATE]["kinds"] == ["HOLD_ADDRESS_MISSING"]


def test_the_buyers_data_is_shown_only_to_who_asks_for_it(asked):
    shown, printed, _ = asked(NAME)
    assert "--recipient" in shown[SOURCE]["recipient"]
    assert "李四" not in printed
    assert "杭州" not in printed
    assert asked(NAME, "--recipient")[0][SOURCE]["recipient"] == {"name": "李四", "city": "杭州"}


def test_an_erased_address_is_not_said_to_be_there(asked, tables):
    item = dict(ItemTable(tables["OrdersTable"]).read(f"O#{NAME}", "SOURCE"))
    del item["recipient"]
    ItemTable(tables["OrdersTable"]).put_if(item, "attribute_exists(pk)")
    assert "recipient" not in asked(NAME)[0][SOURCE]


def test_a_case_is_shown_without_the_buyers_words_and_never_with_its_token(asked):
    shown, printed, code = asked(CASE)
    assert (list(shown), code) == ([f"C#{CASE} STATE"], 0)
    assert shown[f"C#{CASE} STATE"]["body"]["amount"] == {"minor": 19900, "currency": "USD"}
    assert "neighbour" not in printed
    told, printed, _ = asked(CASE, "--recipient")
    assert told[f"C#{CASE} STATE"]["body"]["reason"] == "my neighbour has one"
    assert "token-1" not in printed


@pytest.mark.parametrize(("name", "table"), [(NAME, "OrdersTable"), (CASE, "CasesTable")])
def test_on_aws_a_table_is_named_and_no_stack_is_needed(asked, tables, monkeypatch, name, table):
    monkeypatch.setattr(show.Stack, "load", lambda _directory: pytest.fail("asked for a stack"))
    assert asked(name, "--table", tables[table])[2] == 0


def test_what_is_not_there_is_named(asked):
    assert asked("main-shop#404") == (None, "There is no order and no case main-shop#404 in the local stack.\n", 1)


def test_of_what_cannot_be_read_the_rest_is_shown_and_the_reason_is_said(stack, tables, capsys):
    items = ItemTable(tables["OrdersTable"])
    item = dict(items.read(f"O#{NAME}", "STATE"))
    items.put_if(item | {"body": {"B": bytes([FORMAT + 1]) + item["body"]["B"][1:]}}, "attribute_exists(pk)")
    assert show.main([NAME]) == 1
    shown, said = capsys.readouterr()
    assert json.loads(shown)[STATE]["version"] == 1
    assert "body" not in json.loads(shown)[STATE]
    assert said == f"{STATE}: its body was written by a newer version, in format {FORMAT + 1}\n"


@pytest.mark.parametrize("name", ["", "main-shop", "#1", "main-shop#"])
def test_what_is_no_name_is_refused(name, capsys):
    with pytest.raises(SystemExit):
        show.main([name])
    assert "expected shop#order id" in capsys.readouterr().err


def test_a_table_that_is_not_there_is_told_in_the_words_of_aws(asked):
    _, printed, code = asked(NAME, "--table", "no-such-table")
    assert code == 1
    assert printed.startswith("no-such-table: ")
    assert "ResourceNotFoundException" in printed


def test_without_a_stack_it_says_what_to_do(tmp_path, capsys):
    assert show.main([NAME, "--directory", str(tmp_path)]) == 1
    assert "make up" in capsys.readouterr().err
