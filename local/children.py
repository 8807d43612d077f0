"""Processes that never outlive the one that started them: not after an exception, a signal or kill -9."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from local.addresses import PROJECT

_GRACE = 8.0  # seconds between SIGTERM and SIGKILL
_LAST_LINES = 20
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")

# Waits for a line on its standard input. If the pipe ends without one, whoever held its other end is dead: then the
# process group given as first argument is killed. A shell does, so that this costs a millisecond and no memory.
_WATCHDOG = 'read -r line || kill -s KILL -- "-$1" 2>/dev/null'


class ChildFailed(Exception):
    """A child died or did not get ready; the message names it and ends with the last lines of its log."""


class Child:
    """A process in a process group of its own, with its output added to a log file, from construction until `stop`."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Starts `command` in the project's directory.

        It gets `environment` and little else: a proxy, a CA bundle or an AZURE_… variable of this machine would make it
        another program here than elsewhere.

        Raises:
            OSError: the program cannot be started.
        """
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            self._log_file = undo.enter_context(log.open("ab", buffering=0))
            self._process = subprocess.Popen(
                command,
                cwd=PROJECT,
                env=_inherited() | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._log_file,
                start_new_session=True,  # Ctrl-C at the terminal reaches us alone; we stop the child in order
            )
            undo.callback(self._process.kill)
            self._watchdog = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, "watchdog", str(self.pid)], stdin=subprocess.PIPE, start_new_session=True
            )
            undo.pop_all()
        self._lines: queue.Queue[str | None] = queue.Queue()  # what it says before it is ready; None is the end
        self._is_ready = False
        self._reader = threading.Thread(target=self._read_output, name=f"output-of-{name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    def announcement(self, *, within: float) -> Mapping[str, str]:
        """The JSON object that the child prints when it is ready; waits `within` seconds at most.

        Raises:
            ChildFailed: it ended, or did not say so in time.
        """
        announced: Mapping[str, str] = json.loads(self.await_line("{", within=within))
        return announced

    def await_line(self, text: str, *, within: float) -> str:
        """The first line of output that contains `text`; waits `within` seconds at most.

        Raises:
            ChildFailed: the child ended, or did not say so in time.
        """
        deadline = time.monotonic() + within
        try:
            while (line := self._lines.get(timeout=max(0, deadline - time.monotonic()))) is not None:
                if text in line:
                    self._is_ready = True
                    return line
        except queue.Empty:
            pass
        raise self.failure("did not get ready")

    def require_alive(self) -> None:
        """Raises ChildFailed when the child has ended."""
        if self._process.poll() is not None:
            raise self.failure(f"ended with status {self._process.returncode}")

    def failure(self, what: str) -> ChildFailed:
        """The exception that says what happened to the child."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        return ChildFailed("\n".join([f"{self.name} {what}. The end of {self.log}:", *lines]))

    def kill(self) -> None:
        """Ends the child's whole group where it stands, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ends the child's whole group, by force after some seconds. A second call does nothing."""
        if self._log_file.closed:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self.kill()
        with suppress(BrokenPipeError):
            self._watchdog.communicate(b"\n")
        self._reader.join()
        self._log_file.close()

    def _read_output(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        with self._process.stdout as output:
            for line in output:
                self._log_file.write(line)
                if not self._is_ready:
                    self._lines.put(line.decode(errors="replace"))
        self._lines.put(None)


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def free_ports(count: int) -> list[int]:
    """Distinct TCP ports of 127.0.0.1 that nobody listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
