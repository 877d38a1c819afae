"""The services and jobs that must be there."""

from typing import Annotated

from pydantic import (
    StringConstraints,
)

from checks.settings.section import Name, Section

Repository = Annotated[
    str, StringConstraints(max_length=500, pattern=r"^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[a-z0-9][a-z0-9._-]*)+$")
]

Tool = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,62}$")]
Command = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ServiceSettings(Section):
    """One entry of ``[[services]]``: a service that must be there.

    ``tag`` is the one that it should serve; None takes the one that it was deployed from, if it was deployed by a tag.
    ``repository`` is where a redeploy takes the image from; None takes the repository of the image that serves.
    ``container`` is the one that is its program, where it has several and ``repository`` does not tell.
    Where the project or region is not that of the pipeline, name it.
    ``managed_by`` names the tool whose deploys it is, whatever its labels say, or is ``none``; ``deploy_command`` is
    how that tool deploys it, as a person types it.
    """

    name: Name
    project: Name | None = None
    region: Name | None = None
    tag: Name | None = None
    repository: Repository | None = None
    container: Name | None = None
    managed_by: Tool | None = None
    deploy_command: Command | None = None


class JobSettings(Section):
    """One entry of ``[[jobs]]``: a job that must be there, and ``follows`` a service's image if it should.

    ``container`` is the one that is its program, where it has several and the service's repository does not tell.
    ``managed_by`` and ``deploy_command`` are as for a service.
    """

    name: Name
    project: Name | None = None
    region: Name | None = None
    follows: Name | None = None
    container: Name | None = None
    managed_by: Tool | None = None
    deploy_command: Command | None = None
