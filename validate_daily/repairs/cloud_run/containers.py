"""The one container of a template. Of several, none says that it is the program: a repair writes an image into none."""

from collections.abc import Sequence
from typing import Final

from checks.sources.cloud_run.client import Message
from checks.sources.image_references import parse_image
from checks.sources.resource_names import NAME
from checks.text.plural import counted
from checks.text.show import show

_NAMED: Final = 5
_LONGEST: Final = 100


def ambiguity(what: str, containers: Sequence[Message]) -> str | None:
    """Why no image can be written into a template; None where it has exactly one container.

    Which one listens, or stands first, tells nothing: proxies do both.

    Args:
        what: names the template.
        containers: all of it.
    """
    if len(containers) == 1:
        return None
    if not containers:
        return f"{what} has no container: there is no image to replace, and nothing was changed"
    named = ", ".join(_name_of(each) for each in containers[:_NAMED])
    more = f", and {len(containers) - _NAMED} more" if len(containers) > _NAMED else ""
    return (
        f"{what} has {counted(len(containers), 'container')} ({named}{more}): which of them is the program cannot be "
        "told, and nothing was changed"
    )


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
