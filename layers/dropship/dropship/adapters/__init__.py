"""The ports made real: DynamoDB, SQS, Step Functions, SSM, HTTP, the clock and the seed file."""
