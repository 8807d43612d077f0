"""A stand-in for the Azure Functions host: the app under Microsoft's own runtime, without Azure, without .NET.

What is Microsoft's: indexing, loading and invoking (azure-functions-runtime, the code Azure runs for Python 3.13).
What is ours: HTTP listening, queue polling, timers and the admin API, after the sources of azure-functions-host 4.1037
and of the storage and timer extensions. What it has not: output bindings, cookies and identity-based connections, which
it refuses; function keys other than the master key; functionTimeout; the blob in which timers note what they missed.
"""

from local.host.function_host import FunctionHost
from local.host.http import Response
from local.host.runtime import IndexingFailed, Outcome

__all__ = ["FunctionHost", "IndexingFailed", "Outcome", "Response"]
