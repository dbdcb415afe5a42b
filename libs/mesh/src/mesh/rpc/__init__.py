"""gRPC as every service here speaks it: one server, one channel, one error model, one guard."""
