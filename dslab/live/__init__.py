"""The same nodes as operating-system processes: real TCP, real disks, a real SIGKILL."""

from .running import LiveError, Running, start

__all__ = ["LiveError", "Running", "start"]
