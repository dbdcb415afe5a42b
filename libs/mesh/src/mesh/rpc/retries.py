"""Which calls a client repeats, as a gRPC service config computed from the contract.

Repeated are calls that fail UNAVAILABLE, of methods that only read or whose request carries a
`request_id`, or `requests` that do. The policy stands inside `methodConfig`: anywhere else gRPC
ignores it silently.
"""

import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache

import orjson
from google.protobuf.descriptor import (
    Descriptor,
    FileDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from mesh.rpc.auth.access import reads_only

ATTEMPTS_MAX = 4

_GENERATED = "_pb2"

_POLICY = {
    "maxAttempts": ATTEMPTS_MAX,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
# While more than half of its calls fail, a client stops repeating: no retry storms.
_THROTTLING = {"maxTokens": 100, "tokenRatio": 0.5}


def service_config() -> str:
    """The service config of a channel, for every service whose generated module is loaded."""
    return _config_of(tuple(name for name in list(sys.modules) if name.endswith(_GENERATED)))


@lru_cache(maxsize=1)
def _config_of(modules: tuple[str, ...]) -> str:
    methods = [method for service in _services(modules) for method in service.methods]
    return orjson.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": list(_method_configs(methods)),
            "retryThrottling": _THROTTLING,
        }
    ).decode()


def is_repeatable(method: MethodDescriptor) -> bool:
    """Whether calling it twice is as good as calling it once."""
    if method.client_streaming:
        return False
    return reads_only(method) or _has_id(method.input_type)


def _has_id(request: Descriptor) -> bool:
    fields = request.fields_by_name
    inner = fields["requests"].message_type if "requests" in fields else None
    return "request_id" in fields or (inner is not None and _has_id(inner))


def _services(modules: Iterable[str]) -> list[ServiceDescriptor]:
    files = [getattr(sys.modules[name], "DESCRIPTOR", None) for name in modules]
    services = {
        service.full_name: service  # several modules can show the same file
        for file in files
        if isinstance(file, FileDescriptor)
        for service in file.services_by_name.values()
    }
    return list(services.values())


def _method_configs(methods: Iterable[MethodDescriptor]) -> Iterator[dict[str, object]]:
    names = [
        {"service": method.containing_service.full_name, "method": method.name}
        for method in methods
        if is_repeatable(method)
    ]
    if names:
        yield {"name": names, "retryPolicy": _POLICY}
