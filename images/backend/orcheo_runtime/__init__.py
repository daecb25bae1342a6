"""The start step, the health answers and the initialisation of Orcheo's processes."""
