"""What Azure Storage refuses or leaves unsaid, in our own words: told by class, status and code, never by text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from shared.adapters.patience import asked_to_wait
from shared.domain.errors import Code, Problem, ReplyLost, Transient

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpResponse

NOT_DEPLOYED: Final = frozenset({"TableNotFound", "TableBeingDeleted", "QueueNotFound", "QueueBeingDeleted"})
"""The table or the queue itself is missing: our deployment's fault, and never an answer to what was asked."""

_BUSY: Final = frozenset({429, 503})
_EFFECT_UNKNOWN: Final = frozenset({408, 500, 502, 504})
"""The request may have been carried out all the same
(https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes: OperationTimedOut)."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the libraries raise inside into Transient or ReplyLost.

    An identity that storage does not let in (401, 403) is Transient too: the caller did nothing wrong, its work must
    not be thrown away, and role assignments take minutes to be seen
    (https://learn.microsoft.com/azure/role-based-access-control/troubleshooting).

    Raises:
        Transient: `serviceUnavailable`: storage is away, busy, not deployed, or does not let us in.
        ReplyLost: `serviceUnavailable`: the request was sent; whether it had an effect is unknown.
        RuntimeError: storage calls our request wrong, so it is: a defect of this service.
    """
    from azure.core.exceptions import (
        AzureError,
        ClientAuthenticationError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    try:
        yield
    except (ServiceRequestError, ClientAuthenticationError) as error:
        raise _unavailable() from error
    except ServiceResponseError as error:
        raise _reply_lost() from error
    except HttpResponseError as error:
        raise _by_status(error) from error
    except AzureError as error:
        raise _reply_lost() from error


def code_of(error: HttpResponseError) -> str:
    """Storage's own code of the error; "" where the library left none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _by_status(error: HttpResponseError) -> Exception:
    status = error.status_code
    if status in _BUSY:
        return _unavailable(error)
    if status in (401, 403) or code_of(error) in NOT_DEPLOYED:
        return _unavailable()
    if status is None or status < 400 or status in _EFFECT_UNKNOWN:
        return _reply_lost()
    return RuntimeError(f"Azure Storage does not accept our request: {status} {code_of(error)}")


def _unavailable(error: HttpResponseError | None = None) -> Transient:
    response = cast("HttpResponse | None", error.response) if error else None
    wait = asked_to_wait(response.headers) if response else None
    return Transient(Problem(Code.SERVICE_UNAVAILABLE, "The service's own storage is not available right now."), wait)


def _reply_lost() -> ReplyLost:
    return ReplyLost(
        Problem(Code.SERVICE_UNAVAILABLE, "The service's own storage did not answer; the change may have been made.")
    )
