"""Puts lines of trouble together: the same trouble of the same service, revision and processor is one burst."""

from collections.abc import Iterable, Sequence

from checks.evidence.logs import LogBurst, Trouble
from checks.sources.logging.lines import LogLine
from checks.sources.logging.messages.troubles import Told, names_what_is_missing, reader, sample
from checks.sources.times import Micros, moment

Group = tuple[Trouble, str, str | None, str | None]


def fold_bursts(lines: Iterable[LogLine], registered: Iterable[str], collection: str) -> tuple[LogBurst, ...]:
    """Lines of the same trouble together, the newest burst first.

    Args:
        lines: in any order.
        registered: the processors that the settings name, and their former names.
        collection: where heartbeats are written.
    """
    read = reader(registered, collection)
    groups: dict[Group, list[tuple[LogLine, Told]]] = {}
    well: dict[tuple[str, str], Micros] = {}
    for line in lines:
        told = read(line)
        if told is None:
            continue
        if told.trouble:
            key = (told.trouble, line.source, line.revision, told.processor)
            groups.setdefault(key, []).append((line, told))
        elif told.processor:
            whose = (line.source, told.processor)
            well[whose] = max(well.get(whose, line.at), line.at)
    bursts = (
        _burst(trouble, processor, own, well.get((source, processor or "")))
        for (trouble, source, _, processor), own in groups.items()
    )
    return tuple(sorted(bursts, key=lambda each: (-each.last.timestamp(), each.source, each.trouble)))


def _burst(
    trouble: Trouble, processor: str | None, own: Sequence[tuple[LogLine, Told]], well: Micros | None
) -> LogBurst:
    lines = [line for line, _ in own]
    newest = max(lines, key=lambda line: line.at)
    missing = [line for line in lines if names_what_is_missing(line.text)]
    telling = max(missing, key=lambda line: line.at) if missing else newest
    return LogBurst(
        trouble=trouble,
        source=newest.source,
        revision=newest.revision,
        lines=len(lines),
        first=moment(min(line.at for line in lines)),
        last=moment(newest.at),
        sample=sample(telling.text),
        processor=processor,
        named=any(told.named for _, told in own),
        written_again=moment(well) if well is not None and well > newest.at else None,
    )
