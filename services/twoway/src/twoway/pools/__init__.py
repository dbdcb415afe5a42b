"""Numbers and sender ids that act as one."""
