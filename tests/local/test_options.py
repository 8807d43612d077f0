"""What host.json says holds, unless an app setting of its path says otherwise."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from local.host.options import read_options


def test_an_app_setting_overrides_the_value_of_its_path(tmp_path: Path) -> None:
    queues = {"batchSize": 4, "maxDequeueCount": 3}
    (tmp_path / "host.json").write_text(json.dumps({"extensions": {"queues": queues}}))

    options = read_options(tmp_path, {"AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "7"})

    assert (options.queues.batch_size, options.queues.max_dequeue_count) == (4, 7)


def test_an_app_setting_adds_what_host_json_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    settings = {
        "AzureFunctionsJobHost__extensions__queues__visibilityTimeout": "00:00:30",
        "AzureFunctionsJobHost__logging__logLevel__default": "Warning",
        "UPKEEP_SCHEDULE": "0 * * * * *",
    }

    options = read_options(tmp_path, settings)

    assert options.queues.visibility_timeout == timedelta(seconds=30)
    assert options.log_levels == {"default": "Warning"}
