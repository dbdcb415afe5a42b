"""The names an application sends from."""
