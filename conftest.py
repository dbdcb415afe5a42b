"""How all tests look for examples that break a rule: the same ones everywhere, without a clock.

As Hypothesis does itself where it knows that it is in CI. `pytest --hypothesis-profile=search`
looks for other ones, and for more of them.
"""

from hypothesis import HealthCheck, settings

EXAMPLES_SEARCHED = 1_000

settings.register_profile(
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search",
    deadline=None,
    max_examples=EXAMPLES_SEARCHED,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")
