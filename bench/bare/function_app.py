"""The service's own app, with the bare functions beside its doors, so that one host runs both."""

import runpy

from bench.bare.functions import bp
from local.addresses import PROJECT

app = runpy.run_path(str(PROJECT / "function_app.py"))["app"]
app.register_functions(bp)
