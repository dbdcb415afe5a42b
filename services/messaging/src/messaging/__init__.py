"""Reaching them: the message ledger, channels and templates."""
