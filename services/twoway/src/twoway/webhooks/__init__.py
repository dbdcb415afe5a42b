"""Texts posted to where their application wants them."""
