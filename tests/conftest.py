"""Hypothesis for all tests: no limit depends on how fast the machine is, and CI has the same examples in every run."""

import os

from hypothesis import HealthCheck, settings

_ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
settings.register_profile("here", _ANY_MACHINE)
settings.register_profile("ci", _ANY_MACHINE, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")
