"""What host.json and the app settings tell the host, with the platform's defaults for what they leave out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

_OVERRIDE: Final = "AzureFunctionsJobHost__"
_SETTING_NAME = re.compile(r"%([^%]+)%")
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})")


class SettingMissing(LookupError):
    """A binding names an app setting that does not exist; the message names both."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`extensions.queues` of host.json; the defaults are those of Microsoft's page on Azure Queue storage bindings."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta(0)
    max_polling_interval: timedelta = timedelta(minutes=1)
    is_base64: bool = True


@dataclass(frozen=True, slots=True)
class HostOptions:
    """The part of host.json that the stand-in heeds."""

    route_prefix: str
    custom_headers: Mapping[str, str]  # sent with every HTTP answer; names in lower case
    queues: QueueOptions
    log_levels: Mapping[str, str]  # category -> Trace … Critical, None


def read_options(app_directory: Path, settings: Mapping[str, str]) -> HostOptions:
    """The options of the app's host.json, overridden by app settings named `AzureFunctionsJobHost__a__b`.

    Source: learn.microsoft.com/azure/azure-functions/functions-host-json, "Override host.json values".

    Raises:
        FileNotFoundError: there is no host.json; without it the platform does not start either.
        ValueError: it is no JSON, or a duration is no time span.
    """
    host_json = json.loads((app_directory / "host.json").read_text(encoding="utf-8"))
    for name, value in settings.items():
        if name.startswith(_OVERRIDE):
            _override(host_json, name.removeprefix(_OVERRIDE).split("__"), value)
    extensions = host_json.get("extensions", {})
    http, queues = extensions.get("http", {}), extensions.get("queues", {})
    defaults = QueueOptions()
    batch_size = int(queues.get("batchSize", defaults.batch_size))
    return HostOptions(
        route_prefix=http.get("routePrefix", "api").strip("/"),
        custom_headers={name.lower(): value for name, value in http.get("customHeaders", {}).items()},
        queues=QueueOptions(
            batch_size=batch_size,
            new_batch_threshold=int(queues.get("newBatchThreshold", batch_size // 2)),
            max_dequeue_count=int(queues.get("maxDequeueCount", defaults.max_dequeue_count)),
            visibility_timeout=time_span(queues.get("visibilityTimeout", "00:00:00")),
            max_polling_interval=time_span(queues.get("maxPollingInterval", "00:01:00")),
            is_base64=queues.get("messageEncoding", "base64").lower() == "base64",
        ),
        log_levels=host_json.get("logging", {}).get("logLevel", {}),
    )


def _override(section: dict[str, Any], path: list[str], value: str) -> None:
    *sections, name = path
    for each in sections:
        section = section.setdefault(each, {})
    section[name] = value


def time_span(text: str) -> timedelta:
    """A .NET time span, `hh:mm:ss` or `d.hh:mm:ss`, as a duration.

    Raises:
        ValueError: the text is something else.
    """
    parts = _TIME_SPAN.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text!r} is no time span like 00:00:30.")
    days, hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """`text` with every %NAME% replaced by that app setting.

    Raises:
        SettingMissing: there is no such setting. The platform does not load the function then.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in settings:
            raise SettingMissing(f"{text!r} names the app setting {match[1]!r}, which does not exist.")
        return settings[match[1]]

    return _SETTING_NAME.sub(value, text)


def connection_string(name: str, settings: Mapping[str, str]) -> str:
    """The connection string that a binding's `connection` names, with or without AzureWebJobs before it.

    Raises:
        SettingMissing: there is none. Identity-based connections (`name__accountName`) need Azure.
    """
    for candidate in (f"AzureWebJobs{name}", name):
        if settings.get(candidate):
            return settings[candidate]
    raise SettingMissing(f"A queue trigger needs a connection string in the app setting {name!r}; there is none.")
