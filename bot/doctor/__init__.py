"""`slipway doctor`: every connection and right looked at, and what to do about each, all at once.

Facts come from the adapters' inspections; `github`, `registry`, `metrics`, `delivery` and `database` turn
them into findings without any I/O; `rounds` decides what is looked at, `run` does it at the same time.
"""
