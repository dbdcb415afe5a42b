"""The event store: ClickHouse over HTTP, fed with the very bytes that travel on the bus."""
