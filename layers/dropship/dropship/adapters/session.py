"""The AWS clients of this process, each built at its first use, and what their errors mean.

botocore is imported with the first client: a function that makes no call does not pay for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, cast

from dropship.ports import Unavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5
ATTEMPTS = 3

# Errors with a status below 500 after which the same call may succeed later.
_PASSING = frozenset(
    {"ExecutionLimitExceeded", "ProvisionedThroughputExceededException"}
    | {"RequestLimitExceeded", "RequestThrottled", "Throttling", "ThrottlingException"}
    | {"TooManyRequestsException", "TransactionConflictException", "TransactionInProgressException"}
)

_clients: dict[str, object] = {}
_making = Lock()
_session: "Session | None" = None


def dynamodb() -> "DynamoDBClient":
    """The process's DynamoDB client. Every client takes region, keys and endpoint from the environment."""
    return cast("DynamoDBClient", _client("dynamodb"))


def sqs() -> "SQSClient":
    """The process's SQS client."""
    return cast("SQSClient", _client("sqs"))


def ssm() -> "SSMClient":
    """The process's SSM client."""
    return cast("SSMClient", _client("ssm"))


def stepfunctions() -> "SFNClient":
    """The process's Step Functions client."""
    return cast("SFNClient", _client("stepfunctions"))


def reset() -> None:
    """Forget session and clients, so that the next call reads the environment again."""
    global _session  # noqa: PLW0603 - one session per process is the point of this module
    _session = None
    _clients.clear()


@contextmanager
def unavailable_if_passing(action: str) -> Iterator[None]:
    """Turn throttling, a server error or a missing answer into Unavailable; every other error stays as it is.

    A call that got no answer may have had its effect, so repeating the message must do no harm.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415 - a client has imported it

    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status < 500 and error_code(error) not in _PASSING:
            raise
        raise Unavailable(f"cannot {action} now: {error_code(error)}") from error
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable(f"cannot {action} now: {type(error).__name__}") from error


def error_code(error: "ClientError") -> str:
    """The code of an AWS error, e.g. `ConditionalCheckFailedException`."""
    return error.response["Error"]["Code"]


def _client(service: str) -> object:
    if service not in _clients:
        with _making:  # a session cannot make two clients at the same time
            if service not in _clients:
                _clients[service] = _make_client(service)
    return _clients[service]


def _make_client(service: str) -> object:
    global _session  # noqa: PLW0603 - one session per process is the point of this module
    import botocore.session  # noqa: PLC0415 - imported only when a client is needed
    from botocore.config import Config  # noqa: PLC0415 - imported only when a client is needed

    if _session is None:
        _session = botocore.session.get_session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    client = _session.create_client(service, config=config)
    client.exceptions.from_code("")  # two threads would build the error classes twice and catch the wrong ones
    return client
