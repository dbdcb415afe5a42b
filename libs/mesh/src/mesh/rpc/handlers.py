"""gRPC handlers made from descriptors: the contract decides what a server answers.

Methods of the contract that a servicer lacks are answered UNIMPLEMENTED from one place.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from mesh.errors import Unimplemented
from mesh.rpc.auth.gone import Gone, Services
from mesh.rpc.auth.tokens import Verifier
from mesh.rpc.incoming import Incoming


def service_handlers(
    services: Mapping[str, object], verifier: Verifier
) -> list[grpc.GenericRpcHandler]:
    """One handler per service; `services` maps full service names to servicers."""
    gone = services.gone if isinstance(services, Services) else Gone()
    return [
        _handler(descriptor_of(name), servicer, verifier, gone)
        for name, servicer in services.items()
    ]


def unimplemented(services: Mapping[str, object]) -> list[str]:
    """The methods of the contract that are answered UNIMPLEMENTED, as `package.Service/Method`."""
    return [
        f"{name}/{method.name}"
        for name, servicer in services.items()
        for method in descriptor_of(name).methods
        if not hasattr(servicer, method.name)
    ]


def descriptor_of(service: str) -> ServiceDescriptor:
    """The descriptor of a service; LookupError when its generated module is not imported."""
    try:
        return descriptor_pool.Default().FindServiceByName(service)
    except KeyError:
        message = f"no service {service}: is its generated module imported?"
        raise LookupError(message) from None


def _handler(
    descriptor: ServiceDescriptor, servicer: object, verifier: Verifier, gone: Gone
) -> grpc.GenericRpcHandler:
    _refuse_strays(descriptor, servicer)
    methods = {
        method.name: _method_handler(method, getattr(servicer, method.name, None), verifier, gone)
        for method in descriptor.methods
    }
    return grpc.method_handlers_generic_handler(descriptor.full_name, methods)


def _refuse_strays(descriptor: ServiceDescriptor, servicer: object) -> None:
    """A public method that the contract lacks is a misspelt one."""
    strays = [
        name
        for name in dir(servicer)
        if name[0].isupper() and name not in descriptor.methods_by_name
    ]
    if strays:
        raise LookupError(f"{descriptor.full_name} has no method {', '.join(strays)}")


def _method_handler(
    method: MethodDescriptor,
    behaviour: Callable[..., Any] | None,
    verifier: Verifier,
    gone: Gone,
) -> "grpc.RpcMethodHandler[Any, Any]":
    if behaviour is None:
        # Nobody shall correct a request only to hear then that nothing answers it.
        incoming = Incoming(method, _missing(method), verifier, gone, validating=False)
    else:
        incoming = Incoming(method, behaviour, verifier, gone)
    if method.server_streaming:
        make = (
            grpc.stream_stream_rpc_method_handler
            if method.client_streaming
            else grpc.unary_stream_rpc_method_handler
        )
        return make(incoming.answer_many)
    make = (
        grpc.stream_unary_rpc_method_handler
        if method.client_streaming
        else grpc.unary_unary_rpc_method_handler
    )
    return make(incoming.answer_one)


def _missing(method: MethodDescriptor) -> Callable[..., Any]:
    full_name = f"{method.containing_service.full_name}/{method.name}"

    def refusal() -> Unimplemented:
        message = f"{full_name} is not implemented"
        return Unimplemented("METHOD_NOT_IMPLEMENTED", message, method=full_name)

    async def one(request: object, context: object) -> None:
        raise refusal()

    async def many(request: object, context: object) -> AsyncIterator[None]:
        raise refusal()
        yield

    return many if method.server_streaming else one
