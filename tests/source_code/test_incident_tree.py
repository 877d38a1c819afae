"""A tree with every fault of the incidents: each is found, at its line."""

from pathlib import Path
from typing import Final

from support.code_trees import looked_at, places

_FILES: Final = {
    "shared/__init__.py": "",
    "shared/monitoring/heartbeat.py": (
        "class Heartbeat:\n"
        "    def write(self, client, data_date, run_id):\n"
        '        doc_id = f"{self.processor_name}_{data_date}_{run_id}"\n'
        '        client.collection("processor_heartbeats").document(doc_id).set({})\n'
    ),
    "shared/clients/__init__.py": "",
    "processors/__init__.py": "",
    "processors/main.py": (
        "import shared.clients\n"
        "\n"
        "try:\n"
        "    from shared.monitoring.heartbeat import Heartbeat\n"
        "except ImportError:\n"
        "    Heartbeat = None\n"
        "app = shared.clients, Heartbeat\n"
    ),
    "requirements.txt": "flask==3.1\n",
    "Dockerfile": (
        "FROM python:3.12\n"
        "WORKDIR /app\n"
        "COPY requirements.txt .\n"
        "RUN pip install -r requirements.txt\n"
        "COPY processors/ processors/\n"
        'CMD ["gunicorn", "processors.main:app"]\n'
    ),
}


def test_each_fault_of_the_incidents_is_found_at_its_line(tmp_path: Path) -> None:
    found = places(looked_at(tmp_path, _FILES))
    assert {rule for rule, _, _ in found} == {
        "missing-init", "swallowed-import-error", "run-scoped-heartbeat-id", "command-needs-package",
        "copy-leaves-out-package",
    }  # fmt: skip
    assert ("swallowed-import-error", "processors/main.py", 5) in found
    assert ("run-scoped-heartbeat-id", "shared/monitoring/heartbeat.py", 3) in found
    assert ("command-needs-package", "Dockerfile", 6) in found
    assert ("copy-leaves-out-package", "Dockerfile", 5) in found
    assert ("missing-init", "processors/main.py", 4) in found


def test_the_same_tree_without_the_faults_is_clean(tmp_path: Path) -> None:
    mended = _FILES | {
        "shared/monitoring/__init__.py": "",
        "shared/monitoring/heartbeat.py": _FILES["shared/monitoring/heartbeat.py"].replace("_{data_date}_{run_id}", ""),
        "processors/main.py": (
            "import shared.clients\n"
            "from shared.monitoring.heartbeat import Heartbeat\n"
            "app = shared.clients, Heartbeat\n"
        ),
        "requirements.txt": "flask==3.1\ngunicorn==23.0\n",
        "Dockerfile": _FILES["Dockerfile"].replace("COPY processors/", "COPY shared/ shared/\nCOPY processors/"),
    }
    assert places(looked_at(tmp_path, mended)) == set()
