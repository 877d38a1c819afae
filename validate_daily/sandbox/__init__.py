"""A practice cloud on loopback that speaks Google's own gRPC: one world, its clock, and the incidents as scenarios.

    async with Sandbox(build("proliferation")) as sandbox:
        os.environ |= sandbox.environment()

Importing this loads no gRPC: that waits until a world is built or served. It may import only heartbeat.
"""

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from validate_daily.sandbox.clock import Clock
    from validate_daily.sandbox.faults import Fault
    from validate_daily.sandbox.genesis import build
    from validate_daily.sandbox.scenario import Scenario, ScenarioError, load_scenario, scenario_names
    from validate_daily.sandbox.server import Sandbox, running
    from validate_daily.sandbox.world import World

__all__ = [
    "Clock",
    "Fault",
    "Sandbox",
    "Scenario",
    "ScenarioError",
    "World",
    "build",
    "load_scenario",
    "running",
    "scenario_names",
]

_HOMES: Final = {
    "Clock": "clock",
    "Fault": "faults",
    "Sandbox": "server",
    "Scenario": "scenario",
    "ScenarioError": "scenario",
    "World": "world",
    "build": "genesis",
    "load_scenario": "scenario",
    "running": "server",
    "scenario_names": "scenario",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
