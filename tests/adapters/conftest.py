"""AWS in this process."""

from tests.support.aws_account import aws, tables, watch

__all__ = ["aws", "tables", "watch"]
