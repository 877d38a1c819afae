import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from checks.judge.verdict import ExitCode

COMMAND = str(Path(sys.executable).parent / "validate-daily")
START_SECONDS = 40.0
"""Far above what loading Google's packages takes on a busy machine, far below what Google's own patience is."""


def test_a_token_server_that_never_answers_does_not_outlive_the_timeout(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account = tmp_path / "account.json"
        account.write_text(
            json.dumps(
                {
                    "type": "service_account",
                    "project_id": "demo-nba",
                    "private_key": key.decode(),
                    "private_key_id": "1",
                    "client_email": "check@demo-nba.iam.gserviceaccount.com",
                    "token_uri": f"http://127.0.0.1:{silent.getsockname()[1]}/token",
                }
            )
        )
        settings = tmp_path / "settings.toml"
        settings.write_text('[pipeline]\nname = "nba"\nproject = "demo-nba"\nregion = "us-west2"\n')
        environment = os.environ | {"GOOGLE_APPLICATION_CREDENTIALS": str(account)}
        command = [COMMAND, "check", "--config", str(settings), "--timeout", "2", "--format", "json"]
        started = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)

    assert done.returncode == ExitCode.UNKNOWN, done.stderr
    assert {gap["source"] for gap in json.loads(done.stdout)["gaps"]} >= {"firestore", "cloud-run", "logging"}
    assert time.monotonic() - started < START_SECONDS
