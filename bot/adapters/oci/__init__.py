"""Container registries, by the OCI distribution API."""

from bot.adapters.oci.docker_config import from_docker_config
from bot.adapters.oci.registry import Attestations, OciRegistry
from bot.adapters.oci.transport import Credentials

__all__ = ["Attestations", "Credentials", "OciRegistry", "from_docker_config"]
