"""The sources of a check: their names, their addresses, and how they are read."""

from datetime import timedelta
from typing import Annotated, Final, Literal, get_args

from pydantic import (
    Field,
    StringConstraints,
)

from checks.settings.address import Endpoint
from checks.settings.section import Name, Section
from checks.text.duration import Duration

SourceName = Literal["firestore", "cloud-run", "logging", "registry"]
"""What a check can look at."""

SOURCE_NAMES: Final[tuple[SourceName, ...]] = get_args(SourceName)


class Endpoints(Section):
    """``[endpoints]``: where to reach an API instead of Google's own address; for practice, on loopback."""

    run: Endpoint | None = None
    logging: Endpoint | None = None
    registry: Endpoint | None = None


Switch = Literal["on", "off"]

NEED_A_REGION: Final[tuple[SourceName, ...]] = ("cloud-run", "logging", "registry")
"""The sources that are not asked where the settings name no region."""

Flag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


LogName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][\w.%/-]{0,200}$")]
"""The id of a log within its project."""


class Sources(Section):
    """``[sources]``: what is looked at besides the heartbeats, and how.

    Attributes:
        cloud_run, logging, registry: "off" is a choice, and every report names it.
        window: how far back the logs are searched.
        run_marker: what stands before a processor's name in the log line of a finished run, the second witness.
        operation_limit: an operation that told of its START longer ago than this, and of no END, is stuck.
        logs: names of logs that are searched besides stdout, stderr, varlog/system and python, as in "my-app".
        flags: the environment variables whose values may leave Cloud Run; all others stay there, but those that
            ``commit_variables`` names.
        commit_label: the label that claims a commit.
        commit_variables: the environment variables that claim a commit where no label does, the first that is set.
    """

    cloud_run: Switch = "on"
    logging: Switch = "on"
    registry: Switch = "on"
    window: Duration = timedelta(hours=24)
    run_marker: Annotated[str, StringConstraints(min_length=3, max_length=100)] = "Processor run completed: "
    operation_limit: Duration = timedelta(minutes=30)
    logs: tuple[LogName, ...] = Field(default=(), max_length=20)
    flags: tuple[Flag, ...] = ("ENABLE_HEARTBEATS",)
    commit_label: Name = "commit-sha"
    commit_variables: tuple[Flag, ...] = ("BUILD_COMMIT",)

    @property
    def switches(self) -> dict[str, str]:
        """The keys that switch a source of their name on or off, and which of the two."""
        keys = [key for key, field in type(self).model_fields.items() if get_args(field.annotation) == get_args(Switch)]
        return {key: getattr(self, key) for key in keys}
