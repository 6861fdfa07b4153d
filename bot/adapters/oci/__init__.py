"""Container registries, by the OCI distribution API."""

from bot.adapters.oci.builder import LayerBuilder
from bot.adapters.oci.docker_config import from_docker_config
from bot.adapters.oci.registry import OciRegistry
from bot.adapters.oci.transport import Credentials

__all__ = ["Credentials", "LayerBuilder", "OciRegistry", "from_docker_config"]
