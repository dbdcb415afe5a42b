"""Which number or sender id a message should come from."""
