"""Turns a scenario into a world: what is there when the story begins.

May import every other room of the sandbox but the server.
"""

import random

from validate_daily.sandbox.clock import Clock
from validate_daily.sandbox.genesis.deployments import deploy
from validate_daily.sandbox.genesis.documents import place
from validate_daily.sandbox.genesis.history import tell
from validate_daily.sandbox.scenario import Scenario, load_pipeline, load_scenario
from validate_daily.sandbox.world import World


def build(scenario: Scenario | str, *, clock: Clock | None = None, seed: int = 0) -> World:
    """The world of a scenario, given or named, at its beginning."""
    told = load_scenario(scenario) if isinstance(scenario, str) else scenario
    world = World(load_pipeline(told.pipeline), clock=clock, faults=told.faults, seed=seed)
    world.clocks = told.clocks
    now = world.clock.now()
    deploy(world, told, now)
    place(world, told, now, random.Random(f"{seed}/genesis"))  # noqa: S311 - a simulation, no secret
    tell(world, told, now, random.Random(f"{seed}/history"))  # noqa: S311 - a simulation, no secret
    return world
