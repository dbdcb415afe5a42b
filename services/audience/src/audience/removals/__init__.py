"""Removals: attributes taken from all endpoints or users of an application."""
