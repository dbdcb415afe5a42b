"""Which endpoints meet a condition on their events: behaviour as sets."""
