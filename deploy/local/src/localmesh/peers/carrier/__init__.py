"""A carrier: an SMSC with phones behind it, that can be told to misbehave."""
