"""Implementations of the ports: DynamoDB, SQS, Step Functions, SSM, HTTP, the clock and the seed file."""
