"""The widget. Thin: a Lab holds branches, runs them, and hands traces to the browser."""

from .lab import Lab
from .predict import Prediction

__all__ = ["Lab", "Prediction"]
