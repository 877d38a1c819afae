"""How gcloud is brought to ask the practice cloud, and nobody else."""

from validate_daily.sandbox.rest.routes import HOSTS


def gcloud_environment(address: str, *, project: str, region: str | None = None) -> dict[str, str]:
    """What to set in gcloud's environment, so that it comes here.

    The practice cloud stands as its HTTP proxy: gcloud puts a region before the host of Cloud Run, which no loopback
    address bears. Whatever is not asked in plain HTTP is refused there, so that nothing leaves this machine. Where
    gcloud keeps its configuration, CLOUDSDK_CONFIG, is the caller's affair.

    Args:
        address: ``host:port`` of the practice cloud's REST side.
        project: the project that gcloud asks about unless told otherwise.
        region: the region likewise.
    """
    host, _, port = address.rpartition(":")
    told = {
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": f"http://{HOSTS['run']}/",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"http://{HOSTS['logging']}/",
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": host,
        "CLOUDSDK_PROXY_PORT": port,
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": project,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
    }
    return told | ({"CLOUDSDK_RUN_REGION": region} if region else {})
