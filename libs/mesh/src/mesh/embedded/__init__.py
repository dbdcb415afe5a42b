"""Real servers from wheels, each in one data folder: nothing needs to be installed beforehand."""
