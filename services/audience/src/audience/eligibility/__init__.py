"""Whether an endpoint would get a message now, and every reason why not."""
