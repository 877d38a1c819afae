"""Fills the settings template with what was discovered: each find is marked unconfirmed, each gap is told."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from checks.ask.discovery import Discovery
from checks.evidence.deployments import Job, Service
from checks.evidence.own_containers import OwnContainers, own_of_job, own_of_service
from checks.settings.deployments import JobSettings as JobEntry
from checks.settings.deployments import ServiceSettings as ServiceEntry
from checks.settings.heartbeats import Processor
from checks.text.plural import counted, form
from checks.text.show import show
from checks.text.toml import basic_string, comment

_Deployed = TypeVar("_Deployed", Service, Job)

MARK: Final = "# unconfirmed"
_MOST: Final = 200
"""Entries of one kind that are written; a file of more would be read by nobody."""

_SHOWN: Final = 20
_SECTION: Final = "[pipeline]"
_AFTER_JOBS: Final = '# follows = "nba-phase2-raw-processors"'
_NOBODY: Final = "processors = []"
_DECIDE: Final = (
    "These have a document, which does not say that they must: a person must decide who must beat. Delete who need "
    "not be known, mark who may be silent with expected = false, and add who should be here and was not seen."
)
_LEGEND: Final = "What is marked unconfirmed was seen and nobody has confirmed it: delete the mark, or the entry."


def draft(template: str, found: Discovery) -> str:
    """The text of a settings file.

    Args:
        template: the text of ``template.toml``.
        found: what to fill in.
    """
    region = _home(found)
    project = found.pipeline.pipeline.project
    heartbeats = found.pipeline.heartbeats
    text = _set(template, "name", basic_string(project))
    text = _set(text, "project", basic_string(project))
    if region is not None:
        mark = "" if found.named else f" {MARK}"
        text = _set(text, "region", basic_string(region) + mark)
    if heartbeats.database != type(heartbeats)().database:
        text = _set(text, "database", basic_string(heartbeats.database))
    if heartbeats.collection != type(heartbeats)().collection:
        text = _set(text, "collection", basic_string(heartbeats.collection))
    text = _instead(text, _NOBODY, _processors(found))
    text = _instead(text, _AFTER_JOBS, [_AFTER_JOBS, *_services(found, region), *_jobs(found, region)])
    return _instead(text, _SECTION, [*_preface(found), "", _SECTION])


def searched(found: Discovery, *, whole: bool = True) -> str:
    """What was looked through, in words; the regions one by one if ``whole``."""
    project, heartbeats = found.pipeline.pipeline.project, found.pipeline.heartbeats
    where = counted(len(found.regions), "region")
    names = f" ({', '.join(found.regions)})" if whole else ""
    return (
        f"the collection {heartbeats.collection} of {project}/{heartbeats.database}, and services and jobs "
        f"of {project} in {where}{names}"
    )


def _home(found: Discovery) -> str | None:
    """The region that most was seen in; else the first that the user named."""
    seen = Counter(each.region for each in (*found.services, *found.jobs))
    if seen:
        return max(found.regions, key=lambda region: seen[region])
    return found.regions[0] if found.named else None


def _preface(found: Discovery) -> list[str]:
    lines = [*comment(_LEGEND), *comment(f"Searched: {searched(found)}.")]
    for gap in found.gaps:
        lines += comment(f"Not seen, so it may be there: {gap.source}: {gap.reason}; next: {gap.next_step}")
    return lines


def _processors(found: Discovery) -> list[str]:
    names = [name for name in found.processors if _fits(Processor, name=name)]
    lines = ["", *comment(_DECIDE)] if names else [""]
    lines += _left_out("processor", names)
    if found.malformed:
        shown = (f'"{show(each.processor, limit=200)}" ({each.documents:,})' for each in found.malformed[:_SHOWN])
        more = f" and {len(found.malformed) - _SHOWN:,} more" if len(found.malformed) > _SHOWN else ""
        lines += comment(f"Not proposed, since they wrote under malformed ids only: {', '.join(shown)}{more}.")
    lines += _refused("processor", [name for name in found.processors if name not in set(names)])
    if not names:
        return [*lines, _NOBODY]
    return [*lines, "processors = [", *(f"    {basic_string(name)}, {MARK}" for name in names[:_MOST]), "]"]


def _services(found: Discovery, home: str | None) -> list[str]:
    written = _each_once(each for each in found.services if _fits(ServiceEntry, name=each.name))
    lines = _left_out("service", written)
    for each in written[:_MOST]:
        lines += ["", "[[services]]", _entry("name", each.name)]
        lines += _container(_own(found, each))
        lines += [_entry("region", each.region)] if each.region != home else []
    return [*lines, *_refused("service", _unfit(found.services, written))]


def _jobs(found: Discovery, home: str | None) -> list[str]:
    services = [each for each in found.services if _fits(ServiceEntry, name=each.name)][:_MOST]
    written = _each_once(each for each in found.jobs if _fits(JobEntry, name=each.name))
    lines = _left_out("job", written)
    for each in written[:_MOST]:
        lines += ["", "[[jobs]]", _entry("name", each.name)]
        followed = _followed(found, each, services)
        if followed is not None:
            lines.append(_entry("follows", followed.name) + ": their images are of the same repository")
        lines += _container(own_of_job(found.pipeline, each, followed))
        lines += [_entry("region", each.region)] if each.region != home else []
    return [*lines, *_refused("job", _unfit(found.jobs, written))]


def _each_once(found: Iterable[_Deployed]) -> list[_Deployed]:
    """Each name of a region once: a listing that repeats itself makes no second entry."""
    return list({(each.name, each.region): each for each in found}.values())


def _unfit(found: Iterable[Service | Job], written: Iterable[Service | Job]) -> list[str]:
    fit = {each.name for each in written}
    return [each.name for each in found if each.name not in fit]


def _own(found: Discovery, service: Service) -> OwnContainers:
    return own_of_service(found.pipeline, service, service.every)


def _followed(found: Discovery, job: Job, services: Iterable[Service]) -> Service | None:
    """A service whose image is of the same repository; one in the same region before others."""
    runs = {each.image.repository for each in job.every if each.image.repository}
    alike = [each for each in services if runs & {own.image.repository for own in _own(found, each).containers}]
    return min(alike, key=lambda each: (each.region != job.region, each.name), default=None)


def _container(own: OwnContainers) -> list[str]:
    """What a person must decide where it cannot be told which of several containers is the program."""
    return comment(f'container = "NAME": {own.unclear}.') if own.unclear else []


def _entry(key: str, value: str) -> str:
    return f"{key} = {basic_string(value)} {MARK}"


def _left_out(what: str, names: list[str] | list[Service] | list[Job]) -> list[str]:
    if len(names) <= _MOST:
        return []
    more = counted(len(names) - _MOST, f"more {what} was", f"more {what}s were")
    return comment(f"{more} seen than are written here.")


def _refused(what: str, names: list[str]) -> list[str]:
    if not names:
        return []
    shown = ", ".join(f'"{show(name, limit=200)}"' for name in names[:_SHOWN])
    under = form(len(names), "was seen under a name", "were seen under names")
    among = form(len(names), ": ", ", among them ")
    return comment(f"{counted(len(names), what)} {under} that settings cannot hold{among}{shown}.")


def _fits(entry: type[BaseModel], **values: str | None) -> bool:
    try:
        entry.model_validate(values)
        for value in filter(None, values.values()):
            basic_string(value)
    except (ValidationError, ValueError):
        return False
    return True


def _set(template: str, key: str, value: str) -> str:
    """Give the first line of a key, commented out or not, another value; what stands behind it stays."""
    line = re.compile(rf'^(?:# )?{key} = "[^"]*"(?P<behind>.*)$', re.MULTILINE)
    text, count = line.subn(lambda match: f"{key} = {value} {match['behind'].strip()}".rstrip(), template, count=1)
    return _found(text, count, key)


def _instead(template: str, line: str, lines: list[str]) -> str:
    """Put other lines where this one stands."""
    whole = re.compile(rf"^{re.escape(line)}$", re.MULTILINE)
    text, count = whole.subn(lambda _: "\n".join(lines), template, count=1)
    return _found(text, count, line)


def _found(text: str, count: int, what: str) -> str:
    if not count:
        raise LookupError(f"the settings template has no line for {what}")
    return text
