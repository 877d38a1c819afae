"""How this Cloud Run answers ``validate_only``: as it was sent, unless it is told to be as unkind as Google may be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from validate_daily.sandbox.run import v2
from validate_daily.sandbox.run.messages import packed
from validate_daily.sandbox.run.state import Job, Service

Fields = dict[str, Any]

_OUTSIDE: Final = ("client", "client_version", "ingress", "launch_stage")
_STARTUP_PROBE: Final = {
    "timeout_seconds": 240,
    "period_seconds": 240,
    "failure_threshold": 1,
    "tcp_socket": {"port": 8080},
}


@dataclass(slots=True)
class Rehearsal:
    """What is unkind about the answers.

    Attributes:
        body: whether the operation is done and holds what would be; is done and holds nothing; or is not even done.
        fills_in: defaults stand in fields that nobody set.
        forgets: fields outside the update mask come back unset.
        drops: environment variables that vanish.
        changes: a set field of the template changes.
    """

    body: Literal["whole", "none", "not-done"] = "whole"
    fills_in: bool = False
    forgets: bool = False
    drops: frozenset[str] = frozenset()
    changes: bool = False

    def of_service(self, would: Service) -> dict[str, object]:
        """The operation of a rehearsed service."""
        told: Fields = v2.service(would)
        template: Fields = told["template"]
        if self.fills_in:
            template["execution_environment"] = "EXECUTION_ENVIRONMENT_GEN2"
            template.setdefault("scaling", {"max_instance_count": 100})
        if self.changes:
            template["timeout"] = "17s"
        return self._answer("Service", told, template["containers"])

    def of_job(self, would: Job) -> dict[str, object]:
        """The operation of a rehearsed job."""
        told: Fields = v2.job(would)
        outer: Fields = told["template"]
        task: Fields = outer["template"]
        if self.fills_in:
            task["execution_environment"] = "EXECUTION_ENVIRONMENT_GEN2"
            outer["parallelism"] = 1
        if self.changes:
            task["timeout"] = "17s"
        return self._answer("Job", told, task["containers"])

    def _answer(self, kind: str, told: Fields, containers: list[Fields]) -> dict[str, object]:
        if self.body == "none":
            return {"done": True}
        if self.body == "not-done":
            return {"done": False}
        containers[:] = self._containers(kind, containers)
        if self.forgets:
            told = {name: value for name, value in told.items() if name not in _OUTSIDE}
        whole = packed(kind, told)
        return {"metadata": whole, "done": True, "response": whole}

    def _containers(self, kind: str, containers: list[Fields]) -> Iterator[Fields]:
        for each in containers:
            kept = [one for one in each.get("env", []) if one["name"] not in self.drops]
            rest = {name: value for name, value in each.items() if name != "env"}
            if self.fills_in:
                resources = each.get("resources", {})
                rest["resources"] = {"limits": {"cpu": "1000m", "memory": "512Mi"}, "cpu_idle": True, **resources}
                if kind == "Service":
                    rest.setdefault("startup_probe", _STARTUP_PROBE)
            yield {**rest, **({"env": kept} if kept else {})}
