"""The base class of what changes: aggregates and their parts. What never changes is a `Fact`."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """An aggregate or a part of one. An unknown field is refused; errors do not quote the input."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
