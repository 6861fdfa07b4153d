"""Pins in GitOps repositories: text in, text out. See `bot.manifests.bump`."""
