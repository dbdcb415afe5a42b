"""The ledger: one row for each message, what became of it, and every statement on it."""
