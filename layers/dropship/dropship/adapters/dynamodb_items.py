"""Items of a DynamoDB table, and the conditional write of a version.

Attribute values are built by hand: that takes an eighth of the time of boto3's serialiser.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import uuid4

from pydantic import ValidationError

from dropship.ports import Conflict, Unavailable

from . import session
from .session import unavailable_if_passing
from .stamps import shard_of, stamp, stamp_due
from .stored_format import Unreadable, pack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]
MANY, MANY_ATTEMPTS = 100, 4
"""How many items one request may ask for, and how often those that DynamoDB left out are asked for."""
WRITE_ID = 12
"""Length of a write's random id in hex digits (48 bits). That is enough, because only two ids are ever compared."""


class Versioned(Protocol):
    """An aggregate that has a clock."""

    @property
    def due(self) -> datetime | None:
        """When its clock runs out; None if no clock runs."""


class ItemTable:
    """One table with the keys `pk` and `sk`."""

    def __init__(self, name: str, dynamodb: "Callable[[], DynamoDBClient]" = session.dynamodb) -> None:
        self._name = name
        self._dynamodb = dynamodb

    def read(self, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """The item, or None if there is none. A read without `consistent` costs half, and may be a moment old."""
        with unavailable_if_passing(f"read from {self._name}"):
            answer = self._dynamodb().get_item(TableName=self._name, Key=key(pk, sk), ConsistentRead=consistent)
        return answer.get("Item")

    def write_version(self, item: Item, version: int) -> int:
        """Write the item if `version` is still stored (0: if there is none); the new version.

        DynamoDB may store the item while its answer is lost; then it refuses the SDK's repeat. So the item holds a
        random id of this write: if the stored item has the same id, the write has succeeded.

        Raises:
            Conflict: another version is stored.
        """
        write_id = text(uuid4().hex[:WRITE_ID])
        named = {**item, "version": {"N": str(version + 1)}, "write_id": write_id}
        if version == 0:
            stored = self.put_if(named, "attribute_not_exists(pk)")
        else:
            stored = self.put_if(named, "version = :version", {":version": {"N": str(version)}})
        if stored is not None and stored.get("write_id") != write_id:
            found = stored["version"]["N"] if stored else "nothing"
            raise Conflict(f"{item['pk']['S']}: expected version {version}, stored is {found}")
        return version + 1

    def put_if(self, item: Item, condition: str, values: Item | None = None) -> Item | None:
        """Write the item if the condition holds; None if so, else the stored item (empty if there is none)."""
        request: dict[str, Any] = {"TableName": self._name, "Item": item, "ConditionExpression": condition}
        if values is not None:
            request["ExpressionAttributeValues"] = values
        dynamodb = self._dynamodb()
        try:
            with unavailable_if_passing(f"write to {self._name}"):
                dynamodb.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        except dynamodb.exceptions.ConditionalCheckFailedException as refused:
            return cast(Item, refused.response.get("Item", {}))
        return None

    def read_all(self, pk: str, sks: tuple[str, str]) -> dict[str, Item]:
        """Items of one partition from the first to the last of the two sort keys, by sort key; may be a moment old.

        They are billed as one read of their total size.
        """
        with unavailable_if_passing(f"read from {self._name}"):
            answer = self._dynamodb().query(
                TableName=self._name,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": text(pk), ":first": text(sks[0]), ":last": text(sks[1])},
            )
        return {item["sk"]["S"]: item for item in answer["Items"]}

    def read_many(self, pks: Iterable[str], sk: str, *, consistent: bool) -> dict[str, Item]:
        """The items that exist with that sort key, by partition key; read a hundred at a time.

        Raises:
            Unavailable: DynamoDB left some out each time they were asked for.
        """
        found: dict[str, Item] = {}
        for chunk in batched(pks, MANY, strict=False):
            wanted: Any = {self._name: {"Keys": [key(pk, sk) for pk in chunk], "ConsistentRead": consistent}}
            for _ in range(MANY_ATTEMPTS):
                with unavailable_if_passing(f"read from {self._name}"):
                    answer = self._dynamodb().batch_get_item(RequestItems=wanted)
                found |= {item["pk"]["S"]: item for item in answer["Responses"].get(self._name, [])}
                wanted = answer["UnprocessedKeys"]
                if not wanted:
                    break
            else:
                raise Unavailable(f"cannot read from {self._name} now: some items stay unanswered")
        return found

    def query(
        self, index: str, condition: str, values: Mapping[str, str], *, newest: bool = False, limit: int | None = None
    ) -> Iterator[Item]:
        """The first `limit` index entries in the order of the sort key; each page is read when it is needed.

        The SDK's paginator is not used: it builds a class at each call, which takes longer than everything else here.
        """
        last, left = None, limit
        while left is None or left > 0:
            found, last = self.query_page(index, condition, values, newest=newest, limit=left, start=last)
            yield from found
            if last is None:
                return
            left = None if left is None else left - len(found)

    def query_page(
        self,
        index: str,
        condition: str,
        values: Mapping[str, str],
        *,
        where: str = "",
        newest: bool = False,
        limit: int | None = None,
        start: Item | None = None,
    ) -> tuple[Sequence[Item], Item | None]:
        """One page of index entries after the key `start`, and the key at which it ended; None if it is the last page.

        It reads at most `limit` entries, and then leaves out those that do not fit the filter `where`.
        """
        request: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {name: text(value) for name, value in values.items()},
            "ScanIndexForward": not newest,
        }
        optional = {"FilterExpression": where, "Limit": limit, "ExclusiveStartKey": start}
        request |= {name: value for name, value in optional.items() if value}
        with unavailable_if_passing(f"query {self._name}"):
            page = self._dynamodb().query(**request)
        return page["Items"], page.get("LastEvaluatedKey")

    def due(self, shard: str, now: datetime) -> Iterator[Item]:
        """Index entries of a shard whose clock has run out, the most overdue first."""
        return self.query("due", "due_shard = :shard AND due_at <= :now", {":shard": shard, ":now": stamp(now)})


@contextmanager
def readable(pk: str) -> Iterator[None]:
    """Turn a value that this version cannot read into Unavailable.

    During a deployment a newer version may already have written it. The message names the fields, not their content.
    """
    try:
        yield
    except Unreadable as error:
        raise Unavailable(f"{pk}: {error}") from None
    except ValidationError as error:
        fields = sorted({".".join(map(str, issue["loc"])) for issue in error.errors(include_input=False)})
        raise Unavailable(f"{pk} cannot be read by this version: {', '.join(fields)[:200]}") from None


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    """The primary key of an item."""
    return {"pk": text(pk), "sk": text(sk)}


def state_item(pk: str, aggregate: Versioned, body: str) -> dict[str, Any]:
    """The STATE item of an aggregate, with its JSON packed; in the index of clocks only while a clock runs."""
    item: dict[str, Any] = key(pk, "STATE") | {"body": pack(body)}
    if aggregate.due is not None:
        item |= {"due_shard": text(f"D#{shard_of(pk)}"), "due_at": text(stamp_due(aggregate.due))}
    return item
