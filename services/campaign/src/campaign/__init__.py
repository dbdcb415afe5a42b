"""Campaigns: who gets what, when; and the runs that carry them out."""
