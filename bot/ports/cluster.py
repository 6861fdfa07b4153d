"""What brings Git into the cluster."""

from typing import Protocol

from bot.domain.live import Liveness
from bot.ports.forge import Forge


class Cluster(Protocol):
    """What brings Git into the cluster: Argo CD."""

    def liveness(self, application: str, commit: str, repository_url: str, forge: Forge) -> Liveness:
        """Whether `commit` or a later one is live and healthy, in one request."""
