"""The base class of all facts that we exchange with partners, and the types of text and number in them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .identity import CONNECTION_ID, EXTERNAL_ID

ConnectionId = Annotated[str, Field(pattern=rf"^{CONNECTION_ID.pattern}$")]
ExternalId = Annotated[str, Field(pattern=rf"^{EXTERNAL_ID.pattern}$")]
WaybillNumber = Annotated[str, Field(pattern=rf"^{EXTERNAL_ID.pattern}$")]
Quantity = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Instant = Annotated[datetime, Field(description="UTC")]


class Fact(BaseModel):
    """A value that never changes. An unknown field is refused; errors do not quote the input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
