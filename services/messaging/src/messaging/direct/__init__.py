"""Direct sends: from a call to the ledger and the direct lane, many calls together."""
