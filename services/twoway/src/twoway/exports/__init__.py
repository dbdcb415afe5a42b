"""Opt-out lists taken out, as files and as a stream."""
