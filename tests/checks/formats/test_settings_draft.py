import tomllib

from hypothesis import given
from hypothesis import strategies as st

from checks.ask.discovery import Discovery, Malformed
from checks.evidence.deployments import Image, Job, Service
from checks.evidence.snapshot import Gap
from checks.formats.settings_draft import draft
from checks.settings.file import parse_settings
from checks.settings.pipeline import Pipeline
from checks.settings.template import settings_text
from checks.text.toml import basic_string, comment

from support.deployed import image, job, service

TEMPLATE = settings_text("template")
PIPELINE = Pipeline.model_validate({"pipeline": {"name": "demo-nba", "project": "demo-nba"}})

HOSTILE = st.sampled_from(
    [
        '"',
        "\\",
        '"]\n[writes]\nenabled = true\n#',
        "\x1b[2J",
        "\u202e",
        "\u2028",
        "\x00",
        "\x7f",
        "'''",
        "\U000e0001",
        "é",
    ]
)
NAMES = st.one_of(st.text(max_size=30), st.lists(HOSTILE, max_size=4).map("".join), st.text("ab_é.-", min_size=1))
IMAGES = st.sampled_from([image(tag="latest"), image(tag="v2"), image(repository=""), image(repository="other")])


@st.composite
def discoveries(draw: st.DrawFn) -> Discovery:
    regions = ("us-west2", "us-east1")

    def placed(name: str) -> dict[str, object]:
        return {"name": name, "region": draw(st.sampled_from(regions)), "image": draw(IMAGES)}

    return Discovery(
        pipeline=PIPELINE,
        regions=regions,
        named=draw(st.booleans()),
        services=tuple(service().model_copy(update=placed(name)) for name in draw(st.lists(NAMES, max_size=4))),
        jobs=tuple(job().model_copy(update=placed(name)) for name in draw(st.lists(NAMES, max_size=4))),
        processors=tuple(draw(st.lists(NAMES, max_size=4, unique=True))),
        malformed=tuple(Malformed(processor=name, documents=1) for name in draw(st.lists(NAMES, max_size=2))),
        gaps=tuple(Gap(source="cloud-run", reason=name, next_step=name) for name in draw(st.lists(NAMES, max_size=2))),
    )


@given(discoveries())
def test_a_draft_loads_whatever_strangers_call_their_things(found: Discovery) -> None:
    pipeline = parse_settings(draft(TEMPLATE, found), origin="draft")

    assert pipeline.heartbeats.registered <= set(found.processors)
    assert {(each.name, each.region) for each in pipeline.services} <= {
        (each.name, region) for each in found.services for region in (each.region, None)
    }
    assert {each.name for each in pipeline.jobs} <= {each.name for each in found.jobs}
    assert pipeline.sources == PIPELINE.sources
    assert (pipeline.quiet, pipeline.accepted, pipeline.endpoints) == ((), (), PIPELINE.endpoints)


@given(NAMES)
def test_a_basic_string_is_read_back_as_the_very_same_text(text: str) -> None:
    told = basic_string(text)

    assert tomllib.loads(f"key = {told}") == {"key": text}
    assert told.isprintable()


@given(NAMES)
def test_a_comment_is_nothing_but_a_comment(text: str) -> None:
    assert tomllib.loads("\n".join(comment(text))) == {}


def found(services: list[Service], jobs: list[Job], *regions: str) -> Pipeline:
    told = Discovery(pipeline=PIPELINE, regions=regions, named=False, services=tuple(services), jobs=tuple(jobs))
    return parse_settings(draft(TEMPLATE, told), origin="draft")


def test_the_region_that_most_was_seen_in_is_the_pipelines_and_others_stand_at_their_entries() -> None:
    pipeline = found([service(), service(name="api", region="us-east1")], [job()], "us-east1", "us-west2")

    assert pipeline.pipeline.region == "us-west2"
    assert [(each.name, each.region) for each in pipeline.services] == [("phase2", None), ("api", "us-east1")]


def test_a_job_follows_the_service_of_its_repository_in_its_region_first() -> None:
    there = service(name="a-twin", region="us-east1")

    pipeline = found(
        [there, service()], [job(), job("other", image(repository="gcr.io/demo-nba/x"))], "us-west2", "us-east1"
    )

    assert [(each.name, each.follows) for each in pipeline.jobs] == [("backfill", "phase2"), ("other", None)]


def test_an_image_that_nobody_named_is_no_common_repository() -> None:
    nothing = Image(reference="", repository="")

    pipeline = found([service(image=nothing)], [job(runs=nothing)], "us-west2")

    assert pipeline.jobs[0].follows is None


def test_nothing_found_and_no_region_named_leaves_the_template_as_it_is() -> None:
    pipeline = found([], [], "us-west2")

    assert pipeline.pipeline.region is None
    assert pipeline == Pipeline.model_validate({"pipeline": {"name": "demo-nba", "project": "demo-nba"}})


def test_a_thousand_processors_are_cut_and_the_rest_is_counted() -> None:
    told = Discovery(
        pipeline=PIPELINE, regions=("us-west2",), named=True, processors=tuple(f"P{n}" for n in range(1_000))
    )

    text = draft(TEMPLATE, told)

    assert len(parse_settings(text, origin="draft").heartbeats.processors) == 200
    assert "# 800 more processors were seen than are written here." in text


def test_what_a_listing_tells_twice_is_one_entry() -> None:
    pipeline = found(
        [service(), service()], [job(), job(), job().model_copy(update={"region": "us-east1"})], "us-west2"
    )

    assert len(pipeline.services) == 1
    assert [(each.name, each.region) for each in pipeline.jobs] == [("backfill", None), ("backfill", "us-east1")]
