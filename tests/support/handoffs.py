"""Handoffs for tests: the example pipeline's settings, and documents measured against a practice cloud."""

from checks.handoff.claim import Claim
from checks.handoff.reading import read_document
from checks.handoff.verifying import HandoffReport, verify
from checks.pipeline import Pipeline
from checks.settings import Settings, load_settings
from sandbox import Sandbox

from support.mcp_world import EXAMPLE


def example_settings() -> Settings:
    """The shipped example settings."""
    return load_settings(EXAMPLE)


def example_pipeline() -> Pipeline:
    """Their pipeline."""
    return example_settings().pipeline


def claims_of(text: str) -> tuple[Claim, ...]:
    """What a document of this text claims."""
    return read_document(text.encode(), example_pipeline(), "the document").claims


def asked(text: str) -> set[tuple[str, str | None, str | None]]:
    """Check, subject and expectation of everything in it that is mapped."""
    return {(each.check.value, each.subject, each.expected) for each in claims_of(text) if each.check}


async def verified(cloud: Sandbox, text: str) -> HandoffReport:
    """Its claims, measured against a cloud now."""
    return await verify(example_pipeline(), text.encode(), "the document", environment=cloud.environment())
