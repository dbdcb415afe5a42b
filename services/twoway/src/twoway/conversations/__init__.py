"""What people wrote, for applications to read."""
