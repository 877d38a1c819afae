"""The services and jobs that must be there."""

from typing import Annotated

from pydantic import (
    StringConstraints,
)

from checks.settings.section import Name, Section

Repository = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)+$")
]


class ServiceSettings(Section):
    """One entry of ``[[services]]``: a service that must be there.

    ``tag`` is the one that it should serve; None takes the one that it was deployed from, if it was deployed by a tag.
    ``repository`` is where a redeploy takes the image from; None takes the repository of the image that serves.
    Where the project or region is not that of the pipeline, name it.
    """

    name: Name
    project: Name | None = None
    region: Name | None = None
    tag: Name | None = None
    repository: Repository | None = None


class JobSettings(Section):
    """One entry of ``[[jobs]]``: a job that must be there, and ``follows`` a service's image if it should."""

    name: Name
    project: Name | None = None
    region: Name | None = None
    follows: Name | None = None
