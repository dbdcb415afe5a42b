"""PostgreSQL: sessions for nouns, a raw pool for thousands of rows, and migrations."""
