"""Services and their revisions as Cloud Run's v1 API, which is Knative's, has them."""

from validate_daily.sandbox.rest.parts import RUN, SERVING, Fields, condition, container, metadata, resource
from validate_daily.sandbox.run import v2
from validate_daily.sandbox.run.state import Labels, Revision, Service, Target, Template


def service(one: Service) -> Fields:
    """``serving.knative.dev/v1 Service``."""
    annotations = {
        **one.annotations,
        f"{SERVING}/creator": one.actor,
        f"{SERVING}/lastModifier": one.actor,
        f"{RUN}/ingress": "all",
        f"{RUN}/ingress-status": "all",
    }
    address = str(v2.service(one)["uri"])
    status: Fields = {
        "observedGeneration": one.observed_generation,
        "conditions": [condition(each) for each in one.conditions],
        "latestCreatedRevisionName": one.created_revision,
        "latestReadyRevisionName": one.ready_revision,
        "traffic": [_observed(one, each, address) for each in one.observed],
        "url": address,
        "address": {"url": address},
    }
    return resource(
        SERVING,
        "Service",
        one.place,
        one.short,
        metadata=metadata(
            one.place,
            uid=one.uid,
            generation=one.generation,
            version=v2.etag(one.uid, one.version),
            created=one.created,
            labels=one.labels,
            annotations=annotations,
        ),
        spec={"template": _template(one.template), "traffic": [_wanted(each) for each in one.traffic]},
        status={key: value for key, value in status.items() if value != ""},
    )


def revision(of: Service, one: Revision) -> Fields:
    """``serving.knative.dev/v1 Revision``: its image by digest in both places, as typed in neither."""
    labels = {**one.template.labels, f"{SERVING}/service": of.short, f"{SERVING}/configuration": of.short}
    status: Fields = {
        "observedGeneration": 1,
        "conditions": [condition(each) for each in one.conditions],
        "logUrl": v2.log_uri(of, one.name),
    }
    if "@" in one.image:
        status["imageDigest"] = one.image
    return resource(
        SERVING,
        "Revision",
        of.place,
        one.name,
        metadata=metadata(
            of.place,
            uid=v2.uid(of.uid, one.name),
            generation=1,
            version=v2.etag(of.uid + one.name, one.updated),
            created=one.created,
            labels=labels,
            annotations={**_annotations(one.template), f"{SERVING}/creator": of.actor},
        ),
        spec=_spec(one.template),
        status=status,
    )


def _template(one: Template) -> Fields:
    named = {"name": one.revision} if one.revision else {}
    return {
        "metadata": {**named, "labels": dict(one.labels), "annotations": dict(_annotations(one))},
        "spec": _spec(one),
    }


def _annotations(one: Template) -> Labels:
    most = {"autoscaling.knative.dev/maxScale": str(one.max_instances)} if one.max_instances else {}
    return {**one.annotations, **most}


def _spec(one: Template) -> Fields:
    return {
        "containerConcurrency": one.concurrency,
        "containers": [container(each) for each in one.containers],
        "serviceAccountName": one.service_account,
        "timeoutSeconds": int(one.timeout.total_seconds()),
    }


def _wanted(one: Target) -> Fields:
    told: Fields = {"revisionName": one.revision} if one.revision else {"latestRevision": True}
    return told | ({"percent": one.percent} if one.percent else {}) | ({"tag": one.tag} if one.tag else {})


def _observed(of: Service, one: Target, address: str) -> Fields:
    """A target that follows the latest ready revision says which that is."""
    tagged = {"url": address.replace("https://", f"https://{one.tag}---")} if one.tag else {}
    return {**_wanted(one), "revisionName": one.revision or of.ready_revision, **tagged}
