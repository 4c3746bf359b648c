"""The rules of drop-ship fulfilment, pure: standard library and pydantic, no clock, no network, no storage."""
