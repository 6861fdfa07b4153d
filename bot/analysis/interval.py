"""An interval for a ratio that people can read next to it."""

import math
from statistics import NormalDist


def ratio_interval(total: float, bad: float, deff: float = 1.0, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for bad/total at `level`, widened by the design effect. `total` above 0."""
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    n = max(total / deff, 1e-9)
    ratio = bad / total
    centre = (ratio + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(ratio * (1 - ratio) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
