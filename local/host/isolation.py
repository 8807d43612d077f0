"""One app at a time: what the runtime takes of the process (modules, path, environment) it gives back afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

# The runtime keeps its registry in its modules, and a blueprint can be registered with one app only:
# both must be new for every app. `shared` stays, so that a test and the doors mean the same classes.
_OF_ONE_APP = ("azure_functions_runtime", "function_app", "functions")


@contextmanager
def isolated_app(app_directory: Path, settings: Mapping[str, str]) -> Iterator[None]:
    """Puts the app's directory first on the path and its settings into the environment; unloads other apps.

    Afterwards path, environment and modules are as they were before.
    """
    path, environment, modules = list(sys.path), dict(os.environ), _take_modules()
    sys.path.insert(0, str(app_directory))
    os.environ.update(settings)
    try:
        yield
    finally:
        sys.path[:] = path
        os.environ.clear()
        os.environ.update(environment)
        _take_modules()
        sys.modules.update(modules)


def _take_modules() -> dict[str, ModuleType]:
    """Unloads the modules that belong to one app, and returns them by name."""
    names = [name for name in sys.modules if name.partition(".")[0] in _OF_ONE_APP]
    return {name: sys.modules.pop(name) for name in names}
