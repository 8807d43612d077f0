"""`python -m local.host --port N` runs the app as the Functions host would, on the settings in the environment."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from local.host.admin import MASTER_KEY_SETTING
from local.host.cors import Cors
from local.host.function_host import FunctionHost
from local.host.logs import HostLog, write_logs_to_stderr
from local.host.options import read_options
from local.host.queues import MESSAGE_LEASE


def main() -> None:
    """Serves until SIGINT or SIGTERM; prints one line of JSON, `{"api": URL, "functions": [name]}`, when ready."""
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--port", type=int, default=7071, help="HTTP port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--app", type=Path, default=Path(__file__).parents[2], help="the directory of function_app.py")
    parser.add_argument(
        "--message-lease",
        type=float,
        default=MESSAGE_LEASE.total_seconds(),
        help="seconds until a message comes back whose host was killed (Azure: 600)",
    )
    parser.add_argument("--cors", action="append", default=[], help="an origin whose pages may call the app")
    arguments = parser.parse_args()
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    # Blocked before any thread exists, so that only the sigwait below takes them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)
    host = FunctionHost(
        arguments.app,
        os.environ,
        master_key=os.environ.get(MASTER_KEY_SETTING),
        message_lease=timedelta(seconds=arguments.message_lease),
        cors=Cors(arguments.cors),
    )
    with host:
        options = read_options(arguments.app, os.environ)
        write_logs_to_stderr(HostLog(options.log_levels, host.current_function))
        port = host.listen(arguments.port)
        host.poll()
        api = f"http://127.0.0.1:{port}/{options.route_prefix}".rstrip("/")
        sys.stdout.write(json.dumps({"api": api, "functions": [function.name for function in host.functions]}) + "\n")
        sys.stdout.flush()
        signal.sigwait(stop_signals)


if __name__ == "__main__":
    main()
