"""A real registry on loopback, and the real tools that fill it and unpack from it: Debian's own packages."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from support.official import free_port

_TOOLS: Final = ("docker-registry", "skopeo", "umoci")
_ADVICE: Final = "a real registry cannot run: apt-get install docker-registry skopeo umoci"
_CONFIG: Final = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: {address}}}
"""
_START_SECONDS: Final = 20.0
_SECONDS: Final = 60.0


def missing_tools() -> list[str]:
    """The tools that are not installed."""
    return [tool for tool in _TOOLS if shutil.which(tool) is None]


def need_tools() -> None:
    """Skip the test where a tool is missing, and fail it in CI."""
    if missing_tools():
        if os.environ.get("CI") == "true":
            pytest.fail(_ADVICE)
        pytest.skip(_ADVICE)


@contextmanager
def oci_registry(folder: Path) -> Generator[str]:
    """Run ``docker-registry`` on a free port; yields ``host:port``."""
    folder.mkdir(parents=True, exist_ok=True)
    address = f"127.0.0.1:{free_port()}"
    config = folder / "registry.yml"
    config.write_text(_CONFIG.format(root=folder / "held", address=address))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    try:
        _wait(process, address)
        yield address
    finally:
        process.terminate()
        process.wait()


def push(layout: Path, tag: str, address: str, repository: str) -> None:
    """Copy an image of an OCI layout into the registry with skopeo, digests as they are."""
    _run(
        *("skopeo", "--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false", "--quiet"),
        *(f"oci:{layout}:{tag}", f"docker://{address}/{repository}:{tag}"),
    )


def pull(address: str, repository: str, tag: str, layout: Path) -> None:
    """Copy an image of the registry into an OCI layout with skopeo."""
    _run(
        *("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", "--quiet"),
        *(f"docker://{address}/{repository}:{tag}", f"oci:{layout}:{tag}"),
    )


def unpack(layout: Path, tag: str, bundle: Path) -> Path:
    """Unpack an image with umoci, without being root; returns its root directory."""
    _run("umoci", "unpack", "--rootless", "--image", f"{layout}:{tag}", str(bundle))
    return bundle / "rootfs"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr}"


def _wait(process: "subprocess.Popen[bytes]", address: str) -> None:
    host, _, port = address.partition(":")
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as asked:
            asked.settimeout(1)
            if asked.connect_ex((host, int(port))) == 0:
                return
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise RuntimeError(f"docker-registry does not answer at {address}")
