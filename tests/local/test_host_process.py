"""`python -m local.host` says when it is ready, logs as the platform would, and ends in order."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from local.addresses import PROJECT
from local.host.admin import MASTER_KEY_SETTING
from tests.local.conftest import APP

KEY = "only-for-tests-master-key"


def test_a_host_process_serves_logs_and_stops_at_sigterm(settings: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.host", "--port", "0", "--app", str(APP)],
            cwd=PROJECT,
            env=os.environ | settings | {MASTER_KEY_SETTING: KEY},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            assert process.stdout is not None
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            ready = json.loads(process.stdout.readline())
            with opener.open(f"{ready['api']}/things/0f8fad5b-d9cb-469f-a165-70867728950e") as response:
                served = response.status
            request = urllib.request.Request(
                ready["api"].replace("/api", "/admin/host/status"), headers={"x-functions-key": KEY}
            )
            with opener.open(request) as response:
                admitted = response.status
            process.send_signal(signal.SIGTERM)

            assert process.wait(timeout=10) == 0

    lines = log.read_text().splitlines()
    assert (served, admitted) == (200, 200)
    assert "Echo" in ready["functions"]
    assert any(line.endswith("Information Echo: echoed") for line in lines)
    assert any("Information Echo: Executed 'Functions.Echo' (Succeeded" in line for line in lines)
