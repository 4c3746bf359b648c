"""What the stack on this machine is called: who deploys it and who reads its record have to agree."""

STACK_NAME = "daifa-local"
