"""``validate-daily``: one command, its subcommands listed in one place."""

import sys

# `python -m` looks into the open directory first; from here on it does not, unless that is where we are.
if __name__ == "__main__" and not sys.flags.safe_path and __file__ != f"{sys.path[0]}/validate_daily/__main__.py":
    sys.path.remove(sys.path[0])

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from checks.cli import check
from checks.cli.console import Parser, guarded
from mcp_server import command as mcp
from validate_daily.commands import (
    agent,
    audit,
    cleanup,
    demo,
    doctor,
    evaluate,
    handoff,
    init,
    jobs,
    probe,
    redeploy,
    repair,
    restore,
    rollback,
    sandbox,
    source,
    verify_deploy,
)


@dataclass(frozen=True, slots=True)
class Subcommand:
    """What the command line needs to know of one."""

    summary: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


SUBCOMMANDS: Final = {
    "check": Subcommand(check.SUMMARY, check.add_arguments, check.run),
    "doctor": Subcommand(doctor.SUMMARY, doctor.add_arguments, doctor.run),
    "probe": Subcommand(probe.SUMMARY, probe.add_arguments, probe.run),
    "verify-deploy": Subcommand(verify_deploy.SUMMARY, verify_deploy.add_arguments, verify_deploy.run),
    "handoff": Subcommand(handoff.SUMMARY, handoff.add_arguments, handoff.run),
    "agent": Subcommand(agent.SUMMARY, agent.add_arguments, agent.run),
    "repair": Subcommand(repair.SUMMARY, repair.add_arguments, repair.run),
    "cleanup": Subcommand(cleanup.SUMMARY, cleanup.add_arguments, cleanup.run),
    "restore": Subcommand(restore.SUMMARY, restore.add_arguments, restore.run),
    "redeploy": Subcommand(redeploy.SUMMARY, redeploy.add_arguments, redeploy.run),
    "rollback": Subcommand(rollback.SUMMARY, rollback.add_arguments, rollback.run),
    "jobs": Subcommand(jobs.SUMMARY, jobs.add_arguments, jobs.run),
    "audit": Subcommand(audit.SUMMARY, audit.add_arguments, audit.run),
    "init": Subcommand(init.SUMMARY, init.add_arguments, init.run),
    "sandbox": Subcommand(sandbox.SUMMARY, sandbox.add_arguments, sandbox.run),
    "source": Subcommand(source.SUMMARY, source.add_arguments, source.run),
    "mcp": Subcommand(mcp.SUMMARY, mcp.add_arguments, mcp.run),
    "eval": Subcommand(evaluate.SUMMARY, evaluate.add_arguments, evaluate.run),
    "demo": Subcommand(demo.SUMMARY, demo.add_arguments, demo.run),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit code."""
    parser = Parser(prog="validate-daily", description="Does the pipeline's monitoring tell the truth?")
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('validate-daily')}")
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    for name, each in SUBCOMMANDS.items():
        each.add_arguments(subparsers.add_parser(name, help=each.summary, description=each.summary))
    arguments = parser.parse_args(argv)
    return guarded(lambda: SUBCOMMANDS[arguments.subcommand].run(arguments), debug=getattr(arguments, "debug", False))


if __name__ == "__main__":
    sys.exit(main())
