"""NATS JetStream: events leave with the transaction that made them and arrive at least once."""
