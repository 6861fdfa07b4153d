"""What Slipway needs of the outside, in its own words.

Adapters (`bot.adapters`) speak to the real systems and raise only the errors drawn here:

    OutsideError               somebody else's trouble
      Unavailable              no answer, or "try later": wait and ask again (`retry_after` seconds if told)
      Refused                  an answer, and it is no: say why, do not repeat unchanged
        NotFound               what was named does not exist
        Forbidden              the credentials lack a right
        Conflict               the world moved: observe again, decide again

Every method that writes is find-or-create or last-write-wins: doing it twice is doing it once.
"""

from bot.domain.series import Series
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.errors import Conflict, Forbidden, NotFound, OutsideError, Refused, Unavailable
from bot.ports.forge import CheckRun, Forge, ForgeApp, Installed, Proposal, Usage, WorkflowRun
from bot.ports.images import Attestations, ImageBuilder, ImageRegistry
from bot.ports.metrics import Metrics
from bot.ports.registry import Limits, ModelFiles, ModelRegistry, Stopped, Tell
from bot.ports.services import HttpAnswer, HttpAsk, Notifier, Prober

__all__ = [
    "Attestations",
    "CheckRun",
    "Clock",
    "Cluster",
    "Conflict",
    "Forbidden",
    "Forge",
    "ForgeApp",
    "HttpAnswer",
    "HttpAsk",
    "ImageBuilder",
    "ImageRegistry",
    "Installed",
    "Limits",
    "Metrics",
    "ModelFiles",
    "ModelRegistry",
    "NotFound",
    "Notifier",
    "OutsideError",
    "Prober",
    "Proposal",
    "Refused",
    "Series",
    "Stopped",
    "Tell",
    "Unavailable",
    "Usage",
    "WorkflowRun",
]
