"""Templates into texts: compiled once for each content, rendered for each recipient."""
