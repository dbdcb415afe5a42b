"""Which conversation a text belongs to. Pure."""

import hashlib

ID_CHARACTERS = 32


def conversation_id(application: str, phone_number: str, source_address: str) -> str:
    """The id of everything between a number and a person: it follows from both, so that no text
    has to be looked up or written to be in its conversation. Migration 0013 says it in SQL."""
    parts = "\n".join((application, phone_number, source_address))
    return hashlib.sha256(parts.encode()).hexdigest()[:ID_CHARACTERS]
