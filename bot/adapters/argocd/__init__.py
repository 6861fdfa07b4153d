"""Argo CD: is a merge commit live, asked over its API or read straight from Kubernetes."""

from bot.adapters.argocd.client import ArgoCd
from bot.adapters.argocd.resources import ArgoCdResources, NoKubernetesError

__all__ = ["ArgoCd", "ArgoCdResources", "NoKubernetesError"]
