"""The container into which a repair writes an image: the only one, or the only one of that image's repository.

Which container listens, or stands first, says nothing: proxies do both. Where several containers are of the repository,
or none is, a repair writes into none of them.
"""

from collections.abc import Sequence
from typing import Final

from checks.evidence.own_containers import OwnContainers
from checks.sources.cloud_run.client import Message
from checks.sources.image_references import parse_image
from checks.sources.resource_names import NAME
from checks.text.plural import counted
from checks.text.show import show

_NAMED: Final = 5
_LONGEST: Final = 100


def place_of(containers: Sequence[Message], repository: str, named: str | None) -> int | None:
    """Where the container stands that an image of a repository replaces; None where that is not exactly one.

    Args:
        containers: all of a template.
        repository: of the image that would be written.
        named: the container that the settings name, if they name one; then no other is replaced.
    """
    if len(containers) == 1:
        return 0
    found = _of_repository(containers, repository, named)
    return found[0] if len(found) == 1 else None


def ambiguity(what: str, containers: Sequence[Message], repository: str, named: str | None) -> str | None:
    """Why no image of a repository can be written into a template; None where exactly one container is its place.

    Args:
        what: names the template.
        containers: all of it.
        repository: of the image that would be written.
        named: the container that the settings name, if they name one.
    """
    if place_of(containers, repository, named) is not None:
        return None
    if not containers:
        return f"{what} has no container: there is no image to replace, and nothing was changed"
    found = len(_of_repository(containers, repository, named))
    own = f"the settings name {show(named, limit=_LONGEST)}, and it does not run" if named else "none of them runs"
    why = f"{found} of them run" if found else own
    return f"{_listed(what, containers)}, and {why} {show(repository, limit=300)}: nothing was changed"


def unclear(what: str, containers: Sequence[Message], own: OwnContainers) -> str:
    """Why it cannot be told which image a template, or a revision, is about."""
    why = "the container that the settings name is not among them" if "settings name" in (own.unclear or "") else None
    which = why or "which of them is the program cannot be told"
    return f"{_listed(what, containers)}: {which}, and nothing was changed"


def _listed(what: str, containers: Sequence[Message]) -> str:
    named = ", ".join(_name_of(each) for each in containers[:_NAMED])
    more = f", and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
    return f"{what} has {counted(len(containers), 'container')} ({named}{more})"


def _of_repository(containers: Sequence[Message], repository: str, named: str | None) -> list[int]:
    return [
        place
        for place, each in enumerate(containers)
        if _repository(each) == repository and (named is None or each.name == named)
    ]


def _repository(container: Message) -> str | None:
    try:
        return parse_image(container.image).repository
    except ValueError:
        return None


def update_command(resource: str) -> str:
    """The command that writes an image into a container that a person names.

    Args:
        resource: the full name of a service or job.
    """
    _, project, _, region, kind, name = resource.split("/")
    place = f"--project {project} --region {region}"
    return f"gcloud run {kind} update {name} {place} --container CONTAINER --image IMAGE"


def _name_of(container: Message) -> str:
    """Its name, or its image where it has none. What Cloud Run gives nobody is put into no sentence."""
    if NAME.fullmatch(container.name):
        return container.name
    try:
        reference = parse_image(container.image).reference
    except ValueError:
        reference = ""
    return show(reference, limit=_LONGEST) or "one without a name"
