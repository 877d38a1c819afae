"""Redeploy: makes a service run another digest of its image, and changes nothing else of it.

The digest is looked up here, from a tag, and shown before anybody agrees. Traffic follows only when the new revision
has proved ready; until then, and if it never does, what served before serves on.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from checks.evidence.deployments import Image, Revision, State, Tag, run_of
from checks.evidence.own_containers import namesake, own_of_service, settings_of
from checks.sources.image_references import parse_image
from checks.sources.registry.images import by_digest
from checks.sources.registry.tags import read_tags
from checks.text.plural import counted
from checks.text.show import show
from validate_daily.repairs.cloud_run.containers import unclear
from validate_daily.repairs.cloud_run.images.bad_images import refuse_bad
from validate_daily.repairs.cloud_run.images.commit_label import commit_of, relabel, sentence_of
from validate_daily.repairs.cloud_run.images.image_code import ImageFitness, fitness_of
from validate_daily.repairs.cloud_run.images.registry_facts import RegistryFacts, read_registry
from validate_daily.repairs.cloud_run.plan_trace import PlanTrace
from validate_daily.repairs.cloud_run.rollout import RedeployChange
from validate_daily.repairs.cloud_run.service_state import (
    ServiceState,
    command_of,
    read_state,
    refuse_ambiguous,
    refuse_changed,
    refuse_unsettled,
    service_resource,
)
from validate_daily.repairs.cloud_run.session import RunSession
from validate_daily.repairs.cloud_run.update import all_to_latest, format_traffic
from validate_daily.repairs.plans.application import allow, audited
from validate_daily.repairs.plans.approval import Approval
from validate_daily.repairs.plans.audit_event import Audit
from validate_daily.repairs.plans.cloud_run_outcomes import Rollout
from validate_daily.repairs.plans.cloud_run_plans import RedeployPlan, Relabel
from validate_daily.repairs.plans.errors import NothingToDoError, RefusedError, UnseenError
from validate_daily.repairs.plans.ownership import ownership_of
from validate_daily.repairs.plans.plan import place_of

_HEX: Final = 19
"""Characters of a digest that are enough to tell it from others: ``sha256:`` and twelve more."""


async def plan_redeploy(
    session: RunSession,
    service: str,
    *,
    tag: str | None = None,
    digest: str | None = None,
    unpin: bool = False,
    even_if_bad: bool = False,
    override_owner: bool = False,
    audit: Audit | None = None,
) -> RedeployPlan:
    """Plan a redeploy from a reading of one's own. Changes nothing.

    Args:
        session: what is read, and for whom.
        service: one of the settings' services.
        tag: a person in a terminal wants another tag than that of the settings, or the one that was deployed.
        digest: a person in a terminal wants this digest, ``sha256:...``, whatever tags say.
        unpin: a person wants all traffic to follow the new revision although some of it is pinned.
        even_if_bad: somebody wants it although the image is known to be bad.
        override_owner: a person wants it although another tool deploys the service.
        audit: where the tag of the last redeploy is looked up, which has left a digest in its place.

    Raises:
        NothingToDoError: all of its traffic meets that digest already.
        RefusedError: not exactly one of its containers runs an image of that repository, a change is in progress,
            traffic is pinned, or the registry has no such image.
        UnseenError: the service or the registry could not be read.
    """
    state = await read_state(session, service_resource(session, service))
    refuse_unsettled(state)
    repository = _repository(session, state)
    refuse_ambiguous(session, state, repository)
    wanted = await _resolve(session, repository, digest or tag or await _tag(session, state, audit))
    known = [wanted, *await _indexes(session, state, wanted)]
    if state.serves(lambda each: each is not None and wanted.points_at(run_of(known, each))):
        raise NothingToDoError(
            f"all traffic of {service} meets {_short(wanted)} already, which is {_named(wanted)}",
            "push the image that it should run, or name its tag with --tag",
        )
    if state.pinned and not unpin:
        raise RefusedError(_pinned(state), "find out who pinned it and why; --unpin lets it follow the new revision")
    looking = fitness_of(session, service, parse_image(f"{wanted.repository}@{wanted.digest}"))
    registry, fitness = await asyncio.gather(read_registry(session, wanted), looking)
    plan = _plan(session, state, wanted, registry, fitness)
    plan = plan.model_copy(update={"override_owner": override_owner})
    refuse_bad(session, plan, even_if_bad=even_if_bad, step=fitness.code.next_step)
    return plan


async def apply_redeploy(
    session: RunSession, plan: RedeployPlan, approval: Approval, audit: Audit, *, token: str | None = None
) -> Rollout:
    """Do what a plan says if the service is still as it says: a revision, its proof, and then the traffic.

    Args:
        session: one that is writing.
        plan: made by ``plan_redeploy``, perhaps by way of a seal.
        approval: somebody's agreement to this plan.
        audit: where it is written down, before and after.
        token: the sealed plan, kept in the audit for resuming.

    Raises:
        RepairError: it may not be applied; nothing was changed.
    """
    resumed = await allow(session, plan, approval, audit, session.clock())
    state = await read_state(session, plan.resource)
    refuse_ambiguous(session, state, plan.repository)
    begun = PlanTrace.of(plan).is_untouched(state)
    if not begun:
        refuse_changed(state, plan)
        refuse_unsettled(state)
        await _refuse_moved(session, plan)
    change = RedeployChange(session, plan, state, begun=begun, resumed=resumed)
    return await audited(session, plan, approval, audit, lambda _head: change.run(), token=token)


def _repository(session: RunSession, state: ServiceState) -> str:
    """Where the image comes from: the settings say, else that of the image that gets the most traffic.

    Raises:
        RefusedError: it has several containers, and which of them is the program cannot be told.
    """
    pipeline, service = session.settings.pipeline, state.service
    entry = settings_of(pipeline.services, pipeline, service)
    if entry is not None and entry.repository:
        return entry.repository
    if len(service.every) == 1:
        return _most(state).image.repository
    own = own_of_service(pipeline, service, service.every)
    found = {each.image.repository for each in own.containers}
    if len(found) == 1:
        return found.pop()
    if (program := namesake(service.name, own.containers)) and not (entry and entry.container):
        return program.image.repository
    what = f"the template of the service {service.name}"
    raise RefusedError(
        unclear(what, state.message.template.containers, own),
        f"{own.next_step}; or deploy it the way it was deployed, for example with: {command_of(service)}",
    )


def _most(state: ServiceState) -> Revision:
    _, revision = max(state.service.serving, key=lambda each: each[0].percent)
    if revision is None:
        raise UnseenError("the revision that serves could not be read", "run again")
    return revision


async def _tag(session: RunSession, state: ServiceState, audit: Audit | None) -> str:
    """The settings' tag, the one that was deployed, or the one that our last redeploy was made of."""
    name = state.service.name
    tag = session.settings.pipeline.tag_of(name) or state.service.image.tag
    if tag is None and audit is not None and (last := await audit.last("redeploy", _place(session, state))):
        trace = PlanTrace.of_event(last)
        tag = last.evidence.get("tag") if trace and trace.is_template_of(state) else None
    if not isinstance(tag, str):
        raise RefusedError(
            f"{name} was not deployed by a tag, and the settings name none",
            "set tag at the service in the settings, or name one with --tag",
        )
    return tag


def _place(session: RunSession, state: ServiceState) -> str:
    return place_of(session.target, service_resource(session, state.service.name))


async def _resolve(session: RunSession, repository: str, reference: str) -> Tag:
    """What a tag or digest stands for now.

    Raises:
        RefusedError: the registry has no such image.
        UnseenError: it does not answer.
    """
    image = Image(reference=f"{repository}:{reference}", repository=repository, tag=reference)
    tags, gaps = await read_tags([image], session.registry, session.budget, login=session.reader)
    if gaps:
        raise UnseenError(f"registry: {gaps[0].reason}", gaps[0].next_step)
    if tags[0].digest is None:
        raise RefusedError(f"{repository} has no image {show(reference, limit=200)}", "push it first, or name another")
    return tags[0]


async def _indexes(session: RunSession, state: ServiceState, wanted: Tag) -> tuple[Tag, ...]:
    """What the registry says of digests that serve and are not the wanted one: each may be an index of it."""
    images = [revision.image for _, revision in state.service.serving if revision]
    others = by_digest(each for each in images if not wanted.points_at(each.digest or ""))
    return (await read_tags(others, session.registry, session.budget, login=session.reader))[0]


async def _refuse_moved(session: RunSession, plan: RedeployPlan) -> None:
    if plan.tag is None:
        return
    now = await _resolve(session, plan.repository, plan.tag)
    if now.digest != plan.digest:
        raise RefusedError(
            f"the tag {plan.tag} moved since the plan: it was {plan.digest[:_HEX]}, and is {_short(now)}",
            "plan again, and look at the new digest",
        )


def _plan(
    session: RunSession, state: ServiceState, wanted: Tag, registry: RegistryFacts, fitness: ImageFitness
) -> RedeployPlan:
    service, serving = state.service, _most(state).image
    digest = wanted.digest or ""
    ages = _Ages(registry.uploaded(digest), registry.uploaded(serving.digest))
    base, commit = session.plan_base(session.clock()), commit_of(registry, fitness.code)
    label, message = session.settings.pipeline.sources.commit_label, state.message
    labels = relabel(label, commit, message.labels), relabel(label, commit, message.template.labels)
    return RedeployPlan(
        **base,
        reason=f"{service.name} serves {(serving.digest or serving.reference)[:_HEX]}; {_named(wanted)} is "
        f"{digest[:_HEX]}",
        service=service.name,
        service_project=service.project,
        region=service.region,
        version=state.version,
        wanted=state.wanted,
        serving=state.serving,
        ready=service.ready,
        relabel=labels[0],
        changes=tuple(_changes(state, wanted, base["id"], labels)),
        notes=(fitness.code.summary, *fitness.notes, *_notes(state, wanted, ages, registry)),
        bad=fitness.bad,
        owned=ownership_of(session.settings.pipeline, service),
        override_owner=False,
        repository=wanted.repository,
        digest=digest,
        children=wanted.children,
        tag=None if wanted.tag == digest else wanted.tag,
        before=state.image,
        uploaded_at=ages.new,
        serving_uploaded_at=ages.serving,
        commit=registry.commit,
        older=ages.older,
        template_label=labels[1],
        moves_traffic=bool(state.pinned),
    )


@dataclass(frozen=True, slots=True)
class _Ages:
    """When the new image and the one that serves were uploaded, as far as that is known."""

    new: datetime | None
    serving: datetime | None

    @property
    def older(self) -> bool | None:
        """Whether the new image is the older one."""
        return None if self.new is None or self.serving is None else self.new < self.serving


def _changes(state: ServiceState, wanted: Tag, plan: str, labels: Iterable[Relabel | None]) -> list[str]:
    changes = [
        f"the image{_of_container(state, wanted)}: {state.image} becomes {wanted.repository}@{wanted.digest}",
        f"a new revision, which bears the label redeploy-plan={plan}; until it is ready it gets no traffic",
    ]
    changes += dict.fromkeys(sentence_of(each) for each in labels if each)
    if state.message.template.revision:
        changes.append(f"the name {state.message.template.revision} for the next revision is cleared: it is taken")
    if state.pinned:
        changes.append(f"traffic: {format_traffic(state.wanted)} becomes {format_traffic(all_to_latest(state.wanted))}")
    return changes


def _of_container(state: ServiceState, wanted: Tag) -> str:
    """Which container that is, where there are several; the others stay as they are."""
    containers = state.service.every
    if len(containers) == 1:
        return ""
    own = next((each for each in containers if each.image.repository == wanted.repository), containers[0])
    return f" of the container {show(own.name or own.image.reference, limit=100)}, and of no other"


def _notes(state: ServiceState, wanted: Tag, ages: _Ages, registry: RegistryFacts) -> list[str]:
    notes = list(registry.unknown)
    if ages.older:
        notes.append("OLDER: the image was uploaded before the one that serves")
    newest = state.service.revision(state.service.created)
    if newest and newest.ready is State.FAILED and newest.image.digest and wanted.points_at(newest.image.digest):
        notes.append(f"FAILED BEFORE: {newest.name} runs this digest and is not ready: {newest.reason or 'no reason'}")
    elsewhere = {each.image.repository for each in state.service.revisions} - {wanted.repository}
    if elsewhere:
        notes.append(f"OTHER REPOSITORY: what serves or was deployed last comes from {', '.join(sorted(elsewhere))}")
    if state.nonce and state.pinned:
        notes.append(f"the template bears the label of the redeploy {state.nonce}, which may have held this traffic")
    if len({each.digest for each in state.serving}) > 1:
        notes.append(f"traffic is split over {counted(len(state.serving), 'revision')}: {format_traffic(state.wanted)}")
    return notes


def _pinned(state: ServiceState) -> str:
    wanted = format_traffic(state.wanted)
    reason = f"traffic of {state.service.name} is pinned ({wanted}): a new revision would get none of it"
    if state.nonce is None:
        return reason
    return f"{reason}; the redeploy {state.nonce} may have held it there: if it was broken off, go on with --resume"


def _short(tag: Tag) -> str:
    return (tag.digest or "")[:_HEX]


def _named(tag: Tag) -> str:
    return "the digest that was named" if tag.tag == tag.digest else f"the tag {show(tag.tag, limit=200)}"
