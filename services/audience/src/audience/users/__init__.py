"""Users: what all endpoints of one person share."""
