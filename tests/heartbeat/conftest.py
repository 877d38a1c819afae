import pytest

from support.processors import World


@pytest.fixture(params=["threads", "asyncio"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("COMMIT_SHA", "K_REVISION", "CLOUD_RUN_EXECUTION", "ENABLE_HEARTBEATS"):
        monkeypatch.delenv(name, raising=False)
    return World(request.param)
