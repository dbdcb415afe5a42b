"""Opt-out lists brought over from other platforms."""
