from collections.abc import Mapping

from checks.evidence.snapshot import Target
from checks.sources.budget import Budget
from checks.sources.cloud_run.listing import MAX_PAGES, ListedPlaces, list_places
from checks.sources.credentials import Login
from checks.sources.progress import quiet

from support.run_world import AT, PLACE, RunWorld, job, service
from support.stand_in import Answer, fails, hangs, stand_in

HERE = (("demo-nba", "us-west2"),)
EVERYWHERE = (*HERE, ("demo-nba", "us-east1"))


async def listed(
    answers: Mapping[str, Answer], places: tuple[tuple[str, str], ...] = HERE, *, seconds: float = 20.0
) -> ListedPlaces:
    async with stand_in(answers) as address:
        target = Target(source="cloud-run", address=address, resource=PLACE, practice=True)
        return await list_places(places, target, Budget(seconds), quiet, login=Login())


async def test_every_page_of_every_place_is_listed_and_no_revision_is_asked_for() -> None:
    east = PLACE.replace("us-west2", "us-east1")
    world = RunWorld(
        services=[service(f"s{n}") for n in range(5)] + [service("east", place=east)], jobs=[job()], per_page=2
    )

    services, jobs, gaps = await listed(world.answers(), EVERYWHERE)

    assert {(each.name, each.region) for each in services} == {
        *((f"s{n}", "us-west2") for n in range(5)),
        ("east", "us-east1"),
    }
    assert (len(jobs), gaps, world.asked) == (1, (), [])


async def test_what_cannot_be_read_is_a_gap_that_hides_nothing_else() -> None:
    world = RunWorld(services=[service("good"), service("odd", update_time=None)])

    services, _, gaps = await listed(world.answers())

    assert [each.name for each in services] == ["good"]
    assert [gap.reason for gap in gaps] == ["odd: cannot be read: a time is missing"]


async def test_a_region_that_cloud_run_could_not_reach_is_a_gap() -> None:
    world = RunWorld(services=[service()], unreachable=("us-west2-a",))

    services, _, gaps = await listed(world.answers())

    assert len(services) == 1
    assert gaps[0].reason == "services of demo-nba/us-west2: Cloud Run could not reach us-west2-a"


async def test_a_listing_without_end_is_cut_and_told() -> None:
    world = RunWorld(services=[service(f"s{n}") for n in range(MAX_PAGES + 5)], per_page=1)

    services, _, gaps = await listed(world.answers())

    assert len(services) == MAX_PAGES
    assert "the listing does not end" in gaps[0].reason


async def test_what_fails_alike_in_all_regions_is_told_once_and_in_one_region_by_name() -> None:
    world = RunWorld(services=[service()])
    answers = world.answers(jobs=fails("PERMISSION_DENIED"))

    _, _, everywhere = await listed(answers, EVERYWHERE)
    _, _, here = await listed(answers)

    assert [gap.reason for gap in everywhere] == ["jobs in all 2 regions: PERMISSION_DENIED: a fault on purpose"]
    assert [gap.reason for gap in here] == ["jobs of demo-nba/us-west2: PERMISSION_DENIED: a fault on purpose"]


async def test_a_listing_that_hangs_ends_within_the_budget() -> None:
    services, _, gaps = await listed(RunWorld(services=[service()]).answers(jobs=hangs), seconds=0.5)

    assert [each.updated_at for each in services] == [AT]
    assert [gap.reason for gap in gaps] == ["jobs of demo-nba/us-west2: no answer within the time given"]
