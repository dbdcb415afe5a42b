"""From what people write to what it answers: messaging is asked, its answer is kept and told."""
