"""Answers on their way to messaging."""
