"""Card transactions with fraud among them, made from a seed: the same seed gives the same table.

Fraud comes in rings: a stolen batch of cards is used with similar amounts, at similar hours, in the
same kinds of shops. History and evaluation data were drawn before `NEW_CATEGORY` existed; live traffic
has some of it, as it happens when the world moves on after a model was trained.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

CATEGORIES = ("grocery", "fuel", "travel", "electronics", "restaurant", "clothing", "games", "jewellery")
NEW_CATEGORY = "ride-sharing"
NEW_CATEGORY_SHARE = 0.06
FEATURES = ("amount", "hour", "category", "abroad", "account_days", "last_hour")
LABEL = "fraud"
NAME = "card-transactions"

_RINGS = 24
_RING_SHARE = 0.12
_SCATTERED_SHARE = 0.03


def history(rows: int = 6000) -> pd.DataFrame:
    """What models are trained on."""
    return _draw(rows, np.random.default_rng(20261001))


def evaluation(rows: int = 2000) -> pd.DataFrame:
    """What every version is measured on."""
    return _draw(rows, np.random.default_rng(20261101))


def live(seed: int, rows: int = 256) -> Iterator[list[dict[str, object]]]:
    """Requests of one to three transactions, for ever, without labels."""
    generator = np.random.default_rng(seed)
    while True:
        table = _draw(rows, generator)
        moved_on = generator.random(rows) < NEW_CATEGORY_SHARE
        table.loc[moved_on, "category"] = NEW_CATEGORY
        records = table[list(FEATURES)].to_dict("records")
        while len(records) >= 3:  # noqa: PLR2004 - the largest request
            size = int(generator.integers(1, 4))
            yield [records.pop() for _ in range(size)]


def _draw(rows: int, generator: np.random.Generator) -> pd.DataFrame:
    rings = np.random.default_rng(7)  # the same rings in history, evaluation and live traffic
    ring_amount = rings.uniform(20, 900, _RINGS)
    ring_hour = rings.uniform(0, 24, _RINGS)
    ring_category = rings.integers(0, len(CATEGORIES), _RINGS)

    amount = np.exp(generator.normal(3.6, 1.1, rows))
    hour = generator.normal(14, 4.5, rows) % 24
    category = generator.integers(0, len(CATEGORIES), rows)
    abroad = generator.random(rows) < 0.08  # noqa: PLR2004 - a share of travellers
    account_days = generator.exponential(900, rows)
    last_hour = generator.poisson(0.4, rows)

    kind = generator.random(rows)
    in_ring = kind < _RING_SHARE
    ring = generator.integers(0, _RINGS, rows)
    amount = np.where(in_ring, ring_amount[ring] * generator.normal(1, 0.03, rows), amount)
    hour = np.where(in_ring, (ring_hour[ring] + generator.normal(0, 0.4, rows)) % 24, hour)
    category = np.where(in_ring, ring_category[ring], category)
    scattered = ~in_ring & (kind < _RING_SHARE + _SCATTERED_SHARE)
    last_hour = np.where(scattered, last_hour + generator.poisson(3, rows), last_hour)
    abroad = np.where(scattered, generator.random(rows) < 0.6, abroad)  # noqa: PLR2004 - a share

    return pd.DataFrame(
        {
            "amount": amount.round(2),
            "hour": hour.round(2),
            "category": np.array(CATEGORIES)[category],
            "abroad": abroad.astype(float),
            "account_days": account_days.round(0),
            "last_hour": last_hour.astype(float),
            LABEL: (in_ring | scattered).astype(float),
        }
    )
