"""The RPCs: open, get, ask, write, commit, render. A file for each gRPC service."""
