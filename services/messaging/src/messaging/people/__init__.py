"""Erased people: what the ledger has of them goes, and what was on its way is not sent."""
