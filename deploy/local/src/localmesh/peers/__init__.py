"""Programs that speak the real protocols of carriers and know nothing of the services."""
