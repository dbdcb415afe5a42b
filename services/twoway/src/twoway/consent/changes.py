"""What changes about consent, as rows: who goes on a list, who goes off, and the record of it."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from twoway.tables import ConsentChange, OptedOutNumber

OPTED_OUT, OPTED_IN = "OPTED_OUT", "OPTED_IN"
KEYWORD, API, IMPORT = "KEYWORD", "API", "IMPORT"

Person = tuple[str, str]
"""An opt-out list and the canonical address of somebody who may be on it."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What made consent change, when."""

    source: str
    time: datetime
    text: str = ""
    origination_identity: str = ""
    inbound_message: str = ""
    caller: str = ""
    comment: str = ""
    requested_text: str = ""
    """For a double opt-in: what the person wrote first."""
    question_text: str = ""
    """For a double opt-in: what they were asked."""


@dataclass(slots=True)
class Changes:
    """Changes of one application that are written together. Later ones override earlier ones."""

    application: str
    on: dict[Person, OptedOutNumber] = field(default_factory=dict)
    off: set[Person] = field(default_factory=set)
    record: list[ConsentChange] = field(default_factory=list)

    def opt_out(self, person: Person, cause: Cause, *, confirmed: bool) -> OptedOutNumber:
        """Put somebody on a list."""
        row = self.place(person, cause, confirmed=confirmed)
        self.record.append(self._entry(OPTED_OUT, person, cause))
        return row

    def place(self, person: Person, cause: Cause, *, confirmed: bool) -> OptedOutNumber:
        """Write why somebody is on a list, without a new entry in the record."""
        row = OptedOutNumber(
            application=self.application,
            opt_out_list=person[0],
            phone_number=person[1],
            confirmed=confirmed,
            opt_out_time=cause.time,
            **_words(cause),
        )
        self.off.discard(person)
        self.on[person] = row
        return row

    def opt_in(self, person: Person, cause: Cause) -> None:
        """Take somebody off a list."""
        self.on.pop(person, None)
        self.off.add(person)
        self.record.append(self._entry(OPTED_IN, person, cause))

    def _entry(self, kind: str, person: Person, cause: Cause) -> ConsentChange:
        return ConsentChange(
            application=self.application,
            consent_change=uuid.uuid4().hex,
            opt_out_list=person[0],
            phone_number=person[1],
            kind=kind,
            change_time=cause.time,
            requested_text=cause.requested_text,
            question_text=cause.question_text,
            **_words(cause),
        )


def _words(cause: Cause) -> dict[str, str]:
    return {
        "source": cause.source,
        "text": cause.text,
        "origination_identity": cause.origination_identity,
        "inbound_message": cause.inbound_message,
        "caller": cause.caller,
        "comment": cause.comment,
    }
