"""The name of the stack on this machine: deploying it and reading its call record need the same name."""

STACK_NAME = "daifa-local"
