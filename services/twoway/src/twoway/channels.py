"""PostgreSQL notification channels of this room: they only save waiting."""

INBOUND = "twoway_inbound"
"""Texts have been recorded: streams have something to say, and there may be replies to send."""
