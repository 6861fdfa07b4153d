"""The REST endpoints, a module for each resource."""
