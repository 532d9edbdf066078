"""Real services for the labs: one module each, with one probe and one context manager."""
