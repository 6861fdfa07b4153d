"""Container registries, by the OCI distribution API."""

from bot.adapters.oci.registry import Attestations, OciRegistry
from bot.adapters.oci.transport import Credentials

__all__ = ["Attestations", "Credentials", "OciRegistry"]
