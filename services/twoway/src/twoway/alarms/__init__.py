"""Alarms on the rate of opt-outs, which can pause the campaign that annoys."""
