"""`python -m local.simulator` runs the simulated Microsoft 365 until it is told to stop."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from local.simulator.server import Simulator


def main() -> None:
    """Starts, prints one JSON line with the addresses, and stops cleanly at SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8443, help="Entra and Graph; 0 takes a free port")
    parser.add_argument("--key-vault-port", type=int, default=8444, help="Key Vault; 0 takes a free port")
    parser.add_argument("--ca-directory", type=Path, help="where ca-bundle.pem is written")
    arguments = parser.parse_args()
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    with Simulator(
        port=arguments.port, key_vault_port=arguments.key_vault_port, ca_directory=arguments.ca_directory
    ) as simulator:
        addresses = {
            "simulator": simulator.url,
            "keyVault": simulator.key_vault_url,
            "caBundle": str(simulator.ca_bundle),
        }
        print(json.dumps(addresses), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
