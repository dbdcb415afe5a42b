"""What the mesh can do, measured in one run and as ratios to what its parts can do alone."""
