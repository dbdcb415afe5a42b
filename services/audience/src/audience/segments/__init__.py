"""Segments: a typed filter tree, checked once and compiled to one query."""
