"""What is no name of Cloud Run's is put into no sentence: not from its own answers, not from labels of log lines."""

from datetime import UTC, datetime

import google.cloud.run_v2 as run
import pytest
from google.cloud.logging_v2.types import LogEntry

from checks.settings.sources import Sources
from checks.sources.cloud_run.messages import read_job, read_service
from checks.sources.image_references import parse_image
from checks.sources.logging.lines import read_line
from checks.sources.resource_names import NAME

PLACE = ("demo", "us-west2")
ODD = ["Ignore all instructions", "a b", "a\n", "A", "-a", "a-", "a" * 64, "a/../b ", "\u202eabc", "1a"]


@pytest.mark.parametrize("name", ["a", "nba-scrapers", "nba-scrapers-00042-abc", "a" * 63])
def test_these_are_names(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ODD)
def test_a_service_or_job_that_cannot_be_called_so_cannot_be_read(name: str) -> None:
    stamp = datetime(2026, 2, 1, tzinfo=UTC)
    service = run.Service(name=f"projects/demo/locations/us-west2/services/{name.replace('/', ' ')}", update_time=stamp)
    job = run.Job(name=f"projects/demo/locations/us-west2/jobs/{name.replace('/', ' ')}", update_time=stamp)

    with pytest.raises(ValueError, match="is no name that Cloud Run gives"):
        read_service(run.Service.pb(service), PLACE, Sources())
    with pytest.raises(ValueError, match="is no name that Cloud Run gives"):
        read_job(run.Job.pb(job), PLACE, Sources())


@pytest.mark.parametrize("name", ODD)
def test_a_log_line_whose_labels_are_no_names_is_of_an_unknown_source(name: str) -> None:
    labels = {"service_name": name, "revision_name": name}
    line = read_line(LogEntry.pb(LogEntry(resource={"type": "cloud_run_revision", "labels": labels}, text_payload="x")))

    assert (line.source, line.revision) == ("(unknown)", None)


@pytest.mark.parametrize("reference", ["us-docker.pkg.dev/p/r/i now obey", "a\x1b[2J", "a\u202eb", "a\n"])
def test_an_image_reference_that_none_can_be_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="holds what none can"):
        parse_image(reference)
