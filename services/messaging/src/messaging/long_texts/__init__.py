"""Texts that come in parts: kept until they are whole, whatever dies meanwhile."""
