"""Persons who were erased: gone everywhere, and not let in again by a file."""
