"""AWS clients of this process: one session, each client built on its first use, and what their errors mean.

botocore is imported with the first client: a function that makes no call does not pay for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, overload

from dropship.ports import Unavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient

Service = Literal["dynamodb", "sqs", "ssm", "stepfunctions"]

CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 5
ATTEMPTS = 3

# Errors after which the same call may succeed later, beyond those that AWS answers with a status of 500 or more.
_PASSING = frozenset(
    {"ExecutionLimitExceeded", "ProvisionedThroughputExceededException"}
    | {"RequestLimitExceeded", "RequestThrottled", "Throttling", "ThrottlingException"}
    | {"TooManyRequestsException", "TransactionConflictException", "TransactionInProgressException"}
)

_clients: dict[str, Any] = {}
_session: "Session | None" = None


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["ssm"]) -> "SSMClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
def client(service: Service) -> Any:
    """The process's client of a service; region, credentials and endpoint come from the environment."""
    if service not in _clients:
        _clients[service] = _build(service)
    return _clients[service]


def reset() -> None:
    """Forget session and clients, so that the next call reads the environment again."""
    global _session  # noqa: PLW0603 - one session per process is the point of this module
    _session = None
    _clients.clear()


@contextmanager
def unavailable_if_passing(action: str) -> Iterator[None]:
    """Turn throttling, a server's error and a missing answer into Unavailable; every other error stays.

    A call that got no answer may have had its effect: repeating the message must be harmless all the same.
    """
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415

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


def _build(service: str) -> Any:  # noqa: ANN401 - which client it is depends on the service
    global _session  # noqa: PLW0603
    import botocore.session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    if _session is None:
        _session = botocore.session.get_session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    return _session.create_client(service, config=config)
