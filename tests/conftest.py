"""How hard Hypothesis tries: the same small effort on every run, far more under `just fuzz`."""

from hypothesis import HealthCheck, settings

settings.register_profile("check", deadline=None, derandomize=True, max_examples=100)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=5_000,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("check")
