"""A migrated database and the services of this room behind their front door."""
