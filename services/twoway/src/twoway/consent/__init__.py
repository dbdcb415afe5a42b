"""Opt-out lists, who is on them, and the record of how they got there."""
