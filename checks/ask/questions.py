"""Single questions to single sources, asked as a check asks: evidence and gaps come back, and nothing is judged."""

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from checks.ask.snapshot import load, target_of
from checks.evidence.logs import LogPage, Logs
from checks.evidence.recent_heartbeats import RecentMalformed
from checks.evidence.snapshot import Gap
from checks.settings.pipeline import Pipeline
from checks.sources.addresses import log_projects
from checks.sources.credentials import Login
from checks.sources.logging.question import LogQuestion
from checks.sources.progress import Progress, quiet

MOST: Final = 5_000
"""Heartbeats of a window that one question reads at most."""


async def recent_malformed(
    pipeline: Pipeline,
    *,
    window: timedelta,
    most: int = MOST,
    session: Login,
    timeout: float,  # noqa: ASYNC109 - a budget, not a cancellation
    progress: Progress = quiet,
    environment: Mapping[str, str] = os.environ,
) -> tuple[RecentMalformed | None, tuple[Gap, ...]]:
    """Which processors wrote malformed heartbeats within a window that ends now.

    Raises:
        UsageError: Firestore's address is refused.
    """
    target = target_of(pipeline, "firestore", environment)
    await asyncio.to_thread(load, ("firestore",))
    from checks.sources.budget import Budget  # noqa: PLC0415 - Google's packages load when used
    from checks.sources.firestore.recent import read_recent  # noqa: PLC0415 - the same

    return await read_recent(pipeline, target, window, most, Budget(timeout), progress, login=session)


async def search_logs(
    pipeline: Pipeline,
    question: LogQuestion,
    *,
    limit: int,
    page_token: str = "",
    session: Login,
    timeout: float,  # noqa: ASYNC109 - a budget, not a cancellation
    environment: Mapping[str, str] = os.environ,
) -> tuple[LogPage | None, tuple[Gap, ...]]:
    """A page of the log lines that fit a question, newest first; None where Cloud Logging gave no answer.

    Args:
        pipeline: whose projects are searched.
        question: what fits.
        limit: lines of a page.
        page_token: where the page before stopped.
        session: the way to Google.
        timeout: seconds that the search may take.
        environment: where addresses are looked up.

    Raises:
        UsageError: Cloud Logging's address is refused.
    """
    target = target_of(pipeline, "logging", environment)
    await asyncio.to_thread(load, ("logging",))
    from checks.sources.budget import Budget  # noqa: PLC0415 - the same
    from checks.sources.logging.page import read_page  # noqa: PLC0415 - Google's packages load when used

    projects = log_projects(pipeline)
    return await read_page(projects, target, question, limit, page_token, Budget(timeout), login=session)


async def long_operations(
    pipeline: Pipeline,
    *,
    until: datetime,
    session: Login,
    timeout: float,  # noqa: ASYNC109 - a budget, not a cancellation
    environment: Mapping[str, str] = os.environ,
) -> tuple[Logs | None, tuple[Gap, ...]]:
    """What the logs tell of long operations, within the settings' window: logs without runs and trouble.

    Raises:
        UsageError: Cloud Logging's address is refused.
    """
    target = target_of(pipeline, "logging", environment)
    await asyncio.to_thread(load, ("logging",))
    from checks.sources.budget import Budget  # noqa: PLC0415 - the same
    from checks.sources.logging.logs import read_logs  # noqa: PLC0415 - Google's packages load when used

    return await read_logs(pipeline, target, until, Budget(timeout), quiet, login=session, asked=("operations",))
