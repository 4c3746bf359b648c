"""The base of what changes: aggregates and the parts that they are made of. What never changes is a `Fact`."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """An aggregate or a part of one. A field it does not have is refused; errors do not quote what was given."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
