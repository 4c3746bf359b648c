"""Modules that are imported when they are first used: the front door verifies without paying for the models."""

import importlib
from typing import Any


class Lazily:
    """Stands for a module; every attribute is the module's own, which is imported at the first one."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 - whatever the module has under that name
        return getattr(importlib.import_module(self._name), attribute)
