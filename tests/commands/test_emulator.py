import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.emulators import fill
from support.prepared import run

TOP_WRITERS = {
    "NbacTeamBoxscoreProcessor": 430,
    "BettingPropsProcessor": 220,
    "NbacScheduleProcessor": 201,
    "NbacInjuryReportProcessor": 61,
    "MockProcessor": 57,
    "OddsGameLinesProcessor": 84,
}

pytestmark = pytest.mark.emulator


def check(address: str, project: str, folder: Path) -> tuple[int, dict[str, Any]]:
    settings = folder / "settings.toml"
    settings.write_text(f'[pipeline]\nname = "nba"\nproject = "{project}"\n')
    done = run(
        *("check", "--phase", "0.2", "--format", "json", "--timeout", "30", "--config", str(settings)),
        environment=os.environ | {"FIRESTORE_EMULATOR_HOST": address},
    )
    return done.returncode, json.loads(done.stdout)


async def test_the_official_emulator_with_1053_documents_is_counted_exactly(
    emulator: str, project: str, tmp_path: Path
) -> None:
    collection = f"projects/{project}/databases/(default)/documents/processor_heartbeats"
    names = [f"{writer}_None_{n:08x}" for writer, count in TOP_WRITERS.items() for n in range(count)]
    now = datetime.now(UTC)
    await fill(emulator, collection, ((name, now) for name in names))

    check(emulator, project, tmp_path)  # the emulator's first count is slow; not waited for, it bills otherwise
    code, report = check(emulator, project, tmp_path)

    assert (code, report["verdict"]) == (1, "P0")
    census = report["census"]
    assert (census["total"], census["canonical"], census["malformed"], census["complete"]) == (1_053, 0, 1_053, True)
    assert {name: each["malformed"] for name, each in census["by_processor"].items()} == TOP_WRITERS
    assert list(census["by_processor"])[:2] == ["NbacTeamBoxscoreProcessor", "BettingPropsProcessor"]
    assert census["billed_reads"] == 1_055
    assert report["practice"] is True
    assert report["findings"][0]["rule"] == "heartbeat-proliferation"


async def test_thirty_fresh_processors_on_the_official_emulator_are_healthy(
    emulator: str, project: str, tmp_path: Path
) -> None:
    collection = f"projects/{project}/databases/(default)/documents/processor_heartbeats"
    now = datetime.now(UTC)
    await fill(emulator, collection, ((f"Processor{n}", now) for n in range(30)))

    code, report = check(emulator, project, tmp_path)

    assert (code, report["verdict"], report["score"]) == (0, "healthy", 100)


def test_an_empty_official_emulator_is_p1(emulator: str, project: str, tmp_path: Path) -> None:
    code, report = check(emulator, project, tmp_path)

    assert (code, report["verdict"], report["census"]["total"]) == (1, "P1", 0)
