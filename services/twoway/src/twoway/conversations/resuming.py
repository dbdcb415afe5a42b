"""Resume tokens: where a stream stands, tied to what it was asked for. Pure."""

from heliograph.twoway.v1 import conversation_service_pb2 as pb
from mesh.aip import pagination
from mesh.errors import InvalidArgument
from mesh.errors.refusals import invalid


def token(request: pb.StreamInboundMessagesRequest, sequence: int) -> str:
    """The token that continues the stream after a sequence."""
    return pagination.encode(_lasting(request), [sequence])


def sequence(request: pb.StreamInboundMessagesRequest) -> int:
    """Where the request's token stands; RESUME_TOKEN_INVALID when it is not one of this stream."""
    try:
        (found,) = pagination.decode(_lasting(request), request.resume_token)
        return int(found or 0)
    except (InvalidArgument, ValueError, TypeError):
        description = "not a resume token of this stream; its filters must stay the same"
        raise invalid("RESUME_TOKEN_INVALID", "resume_token", description) from None


def _lasting(request: pb.StreamInboundMessagesRequest) -> pb.ListInboundMessagesRequest:
    """What must stay the same when a stream is continued: that of the list it goes through."""
    return pb.ListInboundMessagesRequest(
        parent=request.parent,
        destination_address=request.destination_address,
        source_address=request.source_address,
    )
