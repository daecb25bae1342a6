"""Start step, health endpoints and initialization of Orcheo's processes."""
