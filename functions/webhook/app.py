"""Front door: takes one signed webhook of a partner and puts one message in a queue; also answers greetings."""

from typing import Any
from urllib.parse import parse_qsl

from dropship.connectors.contract import RawRequest
from dropship.runtime.application import Application
from dropship.runtime.request_body import request_body
from dropship.services.reception import receive

app = Application("webhook")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an API Gateway HTTP API request to `/webhooks/{channel}/{connection}`."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    query = dict(parse_qsl(event.get("rawQueryString", ""), keep_blank_values=True))
    method, path = event["requestContext"]["http"]["method"], event["pathParameters"]
    request = RawRequest(headers, request_body(event), method, query)
    answer = receive(path["channel"], path["connection"], request, app.secrets, app.queues, app.clock)
    if answer.status != 200:  # 200 is in the access log already
        app.logger.info("webhook refused", extra={**path, "status": answer.status})
    return {
        "statusCode": answer.status,
        "headers": {"content-type": answer.content_type},
        "body": answer.body.decode(),
    }
