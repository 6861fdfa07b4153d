"""Settings of the process, from the environment (`SLIPWAY_*`)."""
