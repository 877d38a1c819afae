"""Where Cloud Run, Cloud Logging and the registry are read: Google's own address, or what somebody set instead.

The environment wins over ``[endpoints]`` of the settings. ``host:port`` is plain text, for practice, on loopback only;
an ``https://`` host must be Google's.
"""

from collections.abc import Mapping
from typing import Final

from checks.evidence.snapshot import Target
from checks.settings.address import endpoint
from checks.settings.errors import UsageError
from checks.settings.pipeline import Pipeline

RUN_VARIABLE: Final = "VALIDATE_DAILY_RUN_ENDPOINT"
LOGGING_VARIABLE: Final = "VALIDATE_DAILY_LOGGING_ENDPOINT"
REGISTRY_VARIABLE: Final = "VALIDATE_DAILY_REGISTRY_ENDPOINT"

GOOGLE_REGISTRIES: Final = "*.pkg.dev, *.gcr.io"
"""The registry's address where nobody set another: each image names its own host, and only these are asked."""


def run_target(pipeline: Pipeline, environment: Mapping[str, str]) -> Target:
    """Where services and jobs would be listed, without going there.

    Raises:
        UsageError: the environment names an address that is refused.
    """
    resource = ", ".join(f"projects/{project}/locations/{region}" for project, region in pipeline.places)
    return _target("cloud-run", RUN_VARIABLE, pipeline.endpoints.run, "run.googleapis.com", resource, environment)


def logging_target(pipeline: Pipeline, environment: Mapping[str, str]) -> Target:
    """Where log lines would be searched, without going there. Errors as for ``run_target``."""
    resource = ", ".join(log_projects(pipeline))
    return _target(
        "logging", LOGGING_VARIABLE, pipeline.endpoints.logging, "logging.googleapis.com", resource, environment
    )


def registry_target(pipeline: Pipeline, environment: Mapping[str, str]) -> Target:
    """Where tags would be looked up, without going there. Errors as for ``run_target``."""
    return _target(
        "registry", REGISTRY_VARIABLE, pipeline.endpoints.registry, GOOGLE_REGISTRIES, "tags of images", environment
    )


def log_projects(pipeline: Pipeline) -> tuple[str, ...]:
    """The resource names of every project whose logs are searched."""
    projects = (pipeline.pipeline.project, *(project for project, _ in pipeline.places))
    return tuple(f"projects/{project}" for project in dict.fromkeys(projects))


def _target(
    source: str, variable: str, setting: str | None, google: str, resource: str, environment: Mapping[str, str]
) -> Target:
    address = setting
    if override := environment.get(variable):
        try:
            address = endpoint(override)
        except ValueError as error:
            raise UsageError(f"{variable}: {error}") from error
    if address is None:
        return Target(source=source, address=google, resource=resource, practice=False)
    if address.startswith("https://"):
        return Target(source=source, address=address.removeprefix("https://"), resource=resource, practice=False)
    return Target(source=source, address=address, resource=resource, practice=True)
