"""messaging's templates as this room sees them: renders, and names what nobody can have."""

import asyncio
import re
from typing import Any

from heliograph.messaging.v1 import template_service_pb2 as pb
from mesh.errors import DeadlineExceeded, InvalidArgument, NotFound

SERVICE = pb.DESCRIPTOR.services_by_name["TemplateService"].full_name

_VARIABLE = re.compile(r"\{\{([^{}#/]*)\}\}")
_KNOWN = ("Attributes.", "User.", "Metrics.", "Demographic.", "Location.", "Address", "Id")


class TemplateServicer:
    """Speaks the real contract; `stored` are the texts of stored templates by name."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.away = False
        self.asked = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def RenderTemplate(
        self, request: pb.RenderTemplateRequest, context: Any
    ) -> pb.RenderTemplateResponse:
        self.asked += 1
        await self.answering.wait()
        if self.away:
            # Not UNAVAILABLE, which callers try again for a while.
            raise DeadlineExceeded("AWAY", "nobody answers")
        body = request.content.sms.body
        for name in request.content.templates:
            if name not in self.stored:
                raise NotFound("TEMPLATE_NOT_FOUND", f"{name} does not exist")
            body = self.stored[name]
        if body.count("{{") != body.count("}}"):
            raise InvalidArgument("TEMPLATE_INVALID", "content: a tag has no end")
        given = {*request.substitutions, *request.content.default_substitutions}
        missing = [path for path in _VARIABLE.findall(body) if path not in given]
        answer = pb.RenderTemplateResponse(
            missing_variables=missing,
            unknown_variables=[path for path in missing if not path.startswith(_KNOWN)],
        )
        if body:
            answer.content.sms.body = body
        return answer
