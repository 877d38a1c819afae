"""What gcloud asks, asked by hand: pages, labels, places, and refusals by name."""

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from validate_daily.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Serve

RUN = "http://us-west2-run.test/apis/run.googleapis.com/v1/namespaces/nba-props-platform"
SERVING = "http://us-west2-run.test/apis/serving.knative.dev/v1/namespaces/nba-props-platform"
ENTRIES = "http://logging.test/v2/entries:list"
ALL = {"resourceNames": ["projects/nba-props-platform"]}


async def test_pages_of_a_list_hold_everything_once(serve: "Serve"):
    found: list[str] = []
    token = ""

    async with proxied(await serve()) as client:
        for _ in range(3):
            page = (await client.get(f"{RUN}/executions", params={"limit": "8", "continue": token})).json()
            found += names(page)
            token = page["metadata"].get("continue", "")

    assert token == ""
    assert len(found) == len(set(found)) == 21


async def test_a_label_selects_the_revisions_of_a_service_and_its_place_the_service(serve: "Serve"):
    async with proxied(await serve()) as client:
        chosen = {"labelSelector": "serving.knative.dev/service = nba-scrapers,commit-sha=ce269d67"}
        revisions = (await client.get(f"{SERVING}/revisions", params=chosen)).json()
        here = (await client.get(f"{SERVING}/services")).json()
        elsewhere = (await client.get(f"{SERVING.replace('us-west2', 'us-east1')}/services")).json()

    assert names(revisions) == ["nba-scrapers-00211-t4k"]
    assert len(names(here)) == 6
    assert names(elsewhere) == []


@pytest.mark.parametrize(
    ("parameters", "code", "what"),
    [
        ({"limit": "many"}, 400, "limit 'many' is no number"),
        ({"continue": "bm9uZQ=="}, 400, "page_token is of another list"),
        ({"labelSelector": "a in (b)"}, 501, "the label selector 'a in (b)'"),
        ({"fieldSelector": "a=b"}, 501, "fieldSelector"),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused(serve: "Serve", parameters: dict[str, str], code: int, what: str):
    async with proxied(await serve()) as client:
        answer = await client.get(f"{SERVING}/services", params=parameters)

    assert answer.status_code == code
    assert what in answer.json()["error"]["message"]


async def test_who_may_not_list_over_grpc_may_not_over_http(serve: "Serve"):
    sandbox = await serve()
    sandbox.world.run.permissions = frozenset({"run.services.list"})

    async with proxied(sandbox) as client:
        assert (await client.get(f"{SERVING}/services")).status_code == 200
        denied = await client.get(f"{SERVING}/services/nba-scrapers")

    assert denied.status_code == 403
    assert "Permission 'run.services.get' denied" in denied.json()["error"]["message"]


async def test_entries_come_page_by_page_within_one_quota(serve: "Serve"):
    sandbox = await serve()
    sandbox.world.logs.search.reads_per_minute = 2

    async with proxied(sandbox) as client:
        first = (await client.post(ENTRIES, json=ALL | {"pageSize": 3})).json()
        more = ALL | {"pageSize": 3, "pageToken": first["nextPageToken"]}
        second = (await client.post(ENTRIES, json=more)).json()
        third = await client.post(ENTRIES, json=more)

    assert len({each["insertId"] for page in (first, second) for each in page["entries"]}) == 6
    assert third.status_code == 429
    assert third.json()["error"]["status"] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("no JSON", "Invalid JSON payload"),
        ('{"colour": 1}', "colour"),
        ("{}", "resource_names"),
        ("\xff", "JSON"),
        ("[" * 100_000, "JSON"),
    ],
    ids=["text", "unknown", "empty", "bytes", "deep"],
)
async def test_a_body_that_makes_no_sense_is_refused(serve: "Serve", body: str, what: str):
    async with proxied(await serve()) as client:
        answer = await client.post(ENTRIES, content=body.encode("latin-1"))

    assert answer.status_code == 400
    assert what in answer.json()["error"]["message"]


async def test_a_fault_of_a_method_is_one_of_both_ways_to_call_it(serve: "Serve"):
    sandbox = await serve("healthy", Fault(service="run", method="ListServices", status="UNAVAILABLE", times=1))

    async with proxied(sandbox) as client:
        codes = [(await client.get(f"{SERVING}/services")).status_code for _ in range(2)]

    assert codes == [503, 200]
    assert [(call.service, call.method, call.status) for call in sandbox.world.calls] == [
        ("run", "ListServices", "UNAVAILABLE"),
        ("run", "ListServices", "OK"),
    ]


@pytest.mark.parametrize(
    ("verb", "target", "what"),
    [
        ("PUT", "http://us-west2-run.test/apis/serving.knative.dev/v1/namespaces/p/services/s", "ReplaceService"),
        ("POST", "http://us-west2-run.test/apis/serving.knative.dev/v1/namespaces/p/services", "CreateService"),
        ("DELETE", "http://us-west2-run.test/apis/serving.knative.dev/v1/namespaces/p/revisions/r", "DeleteRevision"),
        ("POST", "http://us-west2-run.test/apis/run.googleapis.com/v1/namespaces/p/jobs/j:run", "RunJob"),
        ("GET", "http://run.test/v1/projects/p/locations", "GET run.test/v1/projects/p/locations"),
        ("POST", "http://logging.test/v2/entries:write", "POST logging.test/v2/entries:write"),
        ("GET", "http://www.googleapis.com/v1/secrets", "GET www.googleapis.com/v1/secrets"),
    ],
)
async def test_what_changes_anything_or_leads_elsewhere_is_refused_by_name(
    serve: "Serve", verb: str, target: str, what: str
):
    async with proxied(await serve()) as client:
        answer = await client.request(verb, target)

    assert answer.status_code == 501
    assert answer.json()["error"]["status"] == "UNIMPLEMENTED"
    assert f"does not implement {what}" in answer.json()["error"]["message"]


async def test_no_tunnel_leads_out(serve: "Serve"):
    sandbox = await serve()

    async with proxied(sandbox) as client:
        with pytest.raises(httpx2.ProxyError, match="501"):
            await client.get("https://logging.googleapis.com/")

    assert [(call.method, call.status) for call in sandbox.world.calls] == [("CONNECT", "UNIMPLEMENTED")]


def proxied(sandbox: Sandbox) -> httpx2.AsyncClient:
    """A client that asks what gcloud asks."""
    environment = sandbox.gcloud_environment()
    proxy = f"http://{environment['CLOUDSDK_PROXY_ADDRESS']}:{environment['CLOUDSDK_PROXY_PORT']}"
    return httpx2.AsyncClient(proxy=proxy, trust_env=False)


def names(page: Any) -> list[str]:
    """The names of a page's items."""
    return [each["metadata"]["name"] for each in page["items"]]
