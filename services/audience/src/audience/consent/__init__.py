"""What audience has heard of opt-outs. The lists themselves, and the last word, are twoway's."""
