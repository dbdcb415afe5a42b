"""Analytics: what happened, and how often."""
