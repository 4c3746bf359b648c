"""Schemathesis in this process: the operations of a document, tried with generated examples."""

from collections.abc import Mapping
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

MODES = list(GenerationMode)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def repeatable(examples: int) -> settings:
    """So many examples, the same ones whenever the same test runs in the same surroundings.

    Hypothesis also tries constants that it finds in the modules of the project that are loaded, and which these are
    depends on the tests that ran before. So a test may say what holds of every example, and never that one of them
    reached something: for that it names an example of its own.
    """
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def operations(document: Mapping[str, Any], app: Any = None) -> dict[str, Any]:
    """The operations of a document, answered by a WSGI application; tokens are the matter of API Gateway."""
    schema = schemathesis.openapi.from_dict({**document, "security": []})
    schema.app = app
    found = [one.ok() for one in schema.get_all_operations()]
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}
