"""Argo CD: is a merge commit live, asked over its API."""

from bot.adapters.argocd.client import ArgoCd

__all__ = ["ArgoCd"]
