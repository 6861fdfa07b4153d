"""Expressions of policies, evaluated where they can do no harm: in a child process with hard limits."""

from bot.adapters.cel.limited import LimitedEvaluator

__all__ = ["LimitedEvaluator"]
