"""The mechanics every API here shares: paging, masks, etags, names, request ids, long work."""
