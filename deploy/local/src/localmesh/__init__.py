"""The whole mesh on one machine: servers, services and the peers that stand in for carriers."""
