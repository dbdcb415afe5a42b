"""Real servers and keys for tests, as a pytest plugin (`mesh.testkit.plugin`)."""
