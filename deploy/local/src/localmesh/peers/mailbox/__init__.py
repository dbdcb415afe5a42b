"""A mail server whose one mailbox takes everything and can be read."""
