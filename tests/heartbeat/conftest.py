from collections.abc import Iterator

import pytest

from support.heartbeat_program import Program, Start
from support.processors import World


@pytest.fixture(params=["threads", "asyncio"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("COMMIT_SHA", "K_REVISION", "CLOUD_RUN_EXECUTION", "ENABLE_HEARTBEATS"):
        monkeypatch.delenv(name, raising=False)
    return World(request.param)


@pytest.fixture
def run(project: str, emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start programs that write into the official emulator, and end them with the test."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    programs: list[Program] = []

    def run(code: str, **environment: str) -> Program:
        programs.append(Program(code, project=project, emulator=emulator, **environment))
        return programs[-1]

    yield run
    for program in programs:
        program.kill()
