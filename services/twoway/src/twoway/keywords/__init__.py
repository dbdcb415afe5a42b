"""The words that numbers answer."""
