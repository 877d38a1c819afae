"""What a job does when it is executed: it runs its processor, with the code in the image that its tag named then."""

import random
from datetime import datetime

from validate_daily.sandbox.pipeline import Processor
from validate_daily.sandbox.processors.runs import told
from validate_daily.sandbox.processors.simulated import run_id, run_scoped_fields, run_scoped_id
from validate_daily.sandbox.processors.stage import Instance, Stage, Writer
from validate_daily.sandbox.processors.voice import Voice
from validate_daily.sandbox.run.state import Execution, Job


class JobRunner:
    """Runs what jobs run."""

    def __init__(self, stage: Stage, *, seed: int) -> None:
        self._stage = stage
        self._random = random.Random(f"{seed}/jobs")  # noqa: S311 - a simulation, no secret
        self._processors = {processor.name: processor for processor in stage.pipeline.processors}

    def executed(self, job: Job, execution: Execution) -> None:
        """An execution is over: write its heartbeat and its lines."""
        known = next((one for one in self._stage.pipeline.jobs if one.name == job.short), None)
        if known is None or execution.failure or execution.completed is None:
            return
        processor = self._processors[known.processor]
        program = self._stage.images.program(execution.task.containers)
        instance = self._stage.of_execution(job.short, execution.name, program, execution.image)
        self._beat(processor, instance, execution.completed)
        self.tell(processor, instance, execution.completed)

    def tell(self, processor: Processor, instance: Instance, at: datetime) -> None:
        """The lines of a run."""
        for moment, line in told(processor, instance, run_id(self._random), at, self._random.randrange(40, 460)):
            self._stage.say(instance, line, at=moment)

    def _beat(self, processor: Processor, instance: Instance, at: datetime) -> None:
        store = Writer(self._stage, instance.source)
        match instance.build.code:
            case "new":
                Voice(self._stage, processor.name, instance, store).run(run_id(self._random), at)
            case "old":
                document_id = run_scoped_id(processor.class_name, "None", self._random)
                store.write(document_id, run_scoped_fields(processor.class_name, document_id, at), timeout=0)
            case "silent":
                pass
