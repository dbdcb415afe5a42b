"""How many messages each endpoint has had, and whether it may get one more."""
