"""Questions to the event store: each a pure function to SQL, and one from rows to the answer."""
