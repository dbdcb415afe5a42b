"""The numbers an application sends from and is written to."""
