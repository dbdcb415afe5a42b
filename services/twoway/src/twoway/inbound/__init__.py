"""From what came in to what follows: understood, recorded and decided in one transaction."""
