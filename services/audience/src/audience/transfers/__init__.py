"""Files into the audience: lines, rows, jobs and the workers that run them."""
