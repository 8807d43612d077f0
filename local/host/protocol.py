"""The worker protocol's messages as plain classes: the runtime gets them injected and needs neither gRPC nor protobuf.

Names and fields are those of FunctionRpc.proto in Azure/azure-functions-language-worker-protobuf.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar


class Message(SimpleNamespace):
    """A message holds whichever fields it was made with, as a protobuf message does."""

    _groups: ClassVar[dict[str, tuple[str, ...]]] = {}

    # The name is protobuf's: the runtime asks by it.
    def WhichOneof(self, group: str) -> str | None:  # noqa: N802
        """The name of the field of `group` that is set, or None when none is."""
        return next((name for name in self._groups[group] if name in self.__dict__), None)


class TypedData(Message):
    """A value and its kind."""

    _groups: ClassVar = {"data": ("http", "string", "bytes", "json", "int", "double")}


class ParameterBinding(Message):
    """A value for one parameter of a function."""

    _groups: ClassVar = {"rpc_data": ("data",)}


class RpcHttp(Message):
    """An HTTP request on its way in, or a response on its way out."""


class RpcFunctionMetadata(Message):
    """What indexing found out about one function."""


class WorkerInitResponse(Message):
    """The answer to initialisation, which includes indexing."""


class WorkerMetadata(Message):
    """Which runtime this is."""


class FunctionMetadataResponse(Message):
    """The functions that indexing found."""


class FunctionLoadResponse(Message):
    """Whether a function could be loaded."""


class InvocationResponse(Message):
    """How one run of a function ended."""


class RpcException(Message):
    """An exception as text: message and stack trace."""


class RpcRetryOptions(Message):
    """A retry policy stated by a decorator."""


class RpcHttpCookie(Message):
    """A cookie of a response."""

    SameSite = SimpleNamespace(Lax=1, Strict=2, ExplicitNone=3, **{"None": 0})


class Nullable(Message):
    """An optional value inside a cookie."""


class StatusResult(Message):
    """Success or failure, with the exception."""

    Failure, Success, Cancelled = 0, 1, 2


class BindingInfo(Message):
    """A binding's type, direction and data type."""

    in_, out, inout = 0, 1, 2
    undefined, string, binary, stream = 0, 1, 2, 3


class Timestamp(Message):
    """Seconds since 1970."""


PROTOCOL = SimpleNamespace(
    BindingInfo=BindingInfo,
    FunctionLoadResponse=FunctionLoadResponse,
    FunctionMetadataResponse=FunctionMetadataResponse,
    InvocationResponse=InvocationResponse,
    NullableBool=Nullable,
    NullableDouble=Nullable,
    NullableString=Nullable,
    NullableTimestamp=Nullable,
    ParameterBinding=ParameterBinding,
    RpcException=RpcException,
    RpcFunctionMetadata=RpcFunctionMetadata,
    RpcHttp=RpcHttp,
    RpcHttpCookie=RpcHttpCookie,
    RpcRetryOptions=RpcRetryOptions,
    StatusResult=StatusResult,
    Timestamp=Timestamp,
    TypedData=TypedData,
    WorkerInitResponse=WorkerInitResponse,
    WorkerMetadata=WorkerMetadata,
)
