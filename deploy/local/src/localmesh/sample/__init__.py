"""A sample audience: made by a seeded generator, written as the files that a user would import."""
