"""Endpoints: how a write is read, checked, merged and stored."""
