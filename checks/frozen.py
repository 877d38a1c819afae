"""The base of all evidence."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]


class Evidence(BaseModel):
    """Immutable, and exact about its fields. Whoever reads a source makes it; rules read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
