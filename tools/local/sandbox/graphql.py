"""The part of GraphQL that a client of one known schema needs: read a document, then answer the fields it asks for.

A field that the answer does not have is an error, as on a real server, so that a wrong field name is noticed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"(?P<skip>[\s,]+|\#[^\n]*)"
    r'|(?P<string>"(?:\\.|[^"\\])*")'
    r"|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<variable>\$\w+)"
    r"|(?P<name>\w+)"
    r"|(?P<mark>\.\.\.|[{}()\[\]:!=@|])"
)


class GraphQLError(Exception):
    """The document cannot be read, or asks for a field that does not exist."""


@dataclass(frozen=True)
class Field:
    """One selected field with its arguments (variables replaced by their values) and the fields selected below it."""

    name: str
    alias: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fields: tuple["Field", ...] = ()


def parse(document: str, variables: Mapping[str, Any]) -> tuple[str, tuple[Field, ...]]:
    """`query` or `mutation`, and the fields at the top of a document with one operation.

    Raises:
        GraphQLError: the document cannot be read.
    """
    return _Parser(list(_tokens(document)), variables).operation()


def select(value: Any, fields: tuple[Field, ...]) -> Any:  # noqa: ANN401
    """`value` with only the selected fields, under their aliases.

    Raises:
        GraphQLError: `value` has no such field.
    """
    if value is None or not fields:
        return value
    if isinstance(value, list):
        return [select(item, fields) for item in value]
    chosen = {}
    for wanted in fields:
        if wanted.name not in value:
            raise GraphQLError(f"Field '{wanted.name}' doesn't exist on type '{value.get('__typename', 'Object')}'")
        below = value[wanted.name]
        if isinstance(below, dict | list) and below and not wanted.fields and _holds_objects(below):
            raise GraphQLError(f"Field must have selections (field '{wanted.name}' returns an object)")
        chosen[wanted.alias] = select(below, wanted.fields)
    return chosen


def _holds_objects(value: dict[str, Any] | list[Any]) -> bool:
    return isinstance(value, dict) or isinstance(value[0], dict)


def _tokens(document: str) -> Iterator[str]:
    position = 0
    while position < len(document):
        found = _TOKEN.match(document, position)
        if found is None:
            raise GraphQLError(f"syntax error at {document[position : position + 20]!r}")
        position = found.end()
        if found.lastgroup != "skip":
            yield found.group()


class _Parser:
    def __init__(self, tokens: list[str], variables: Mapping[str, Any]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._variables = variables

    def operation(self) -> tuple[str, tuple[Field, ...]]:
        kind = "query" if self._next == "{" else self._consume()
        if kind not in {"query", "mutation"}:
            raise GraphQLError(f"expected a query or a mutation, not {kind!r}")
        while self._next not in {"{", ""}:
            self._consume()  # skips the operation's name and its variables' types
        fields = self._selection()
        if self._next:
            raise GraphQLError("one operation at a time, and no fragments, please")
        return kind, fields

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _consume(self, expected: str | None = None) -> str:
        token = self._next
        if not token or expected not in {None, token}:
            raise GraphQLError(f"syntax error: expected {expected or 'more'}, found {token or 'the end'}")
        self._at += 1
        return token

    def _selection(self) -> tuple[Field, ...]:
        fields = []
        self._consume("{")
        while self._next != "}":
            fields.append(self._field())
        self._consume("}")
        return tuple(fields)

    def _field(self) -> Field:
        alias = name = self._consume()
        if not name.isidentifier():
            raise GraphQLError(f"syntax error: expected a field, found {name}")
        if self._next == ":":
            self._consume()
            name = self._consume()
        arguments = self._pairs("(", ")") if self._next == "(" else {}
        return Field(name, alias, arguments, self._selection() if self._next == "{" else ())

    def _pairs(self, opening: str, closing: str) -> dict[str, Any]:
        pairs = {}
        self._consume(opening)
        while self._next != closing:
            name = self._consume()
            self._consume(":")
            pairs[name] = self._value()
        self._consume(closing)
        return pairs

    def _value(self) -> Any:  # noqa: ANN401
        if self._next == "{":
            return self._pairs("{", "}")
        if self._next == "[":
            return self._items()
        token = self._consume()
        if token.startswith("$"):
            return self._variables.get(token[1:])
        try:
            return json.loads(token)
        except ValueError:
            return token  # an enum value

    def _items(self) -> list[Any]:
        items = []
        self._consume("[")
        while self._next != "]":
            items.append(self._value())
        self._consume("]")
        return items
