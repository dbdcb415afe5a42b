"""What people answer: numbers, keywords, opt-outs and what came in."""
