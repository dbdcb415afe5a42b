"""The `heliograph` command. Modules that take long to load are imported where they are used."""
