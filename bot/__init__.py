"""Slipway: machine-learning models from a registry to production, and back, through pull requests."""

__version__ = "0.1.0"
