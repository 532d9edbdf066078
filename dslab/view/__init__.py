"""From traces to pictures and words: pure functions, so that equal runs look and read alike everywhere."""

from .branching import announce
from .narrate import narrate
from .pack import pack, shared_prefix
from .scene import Reading, Scene, read, scene_at
from .storyboard import storyboard
from .survey import survey

__all__ = [
    "Reading",
    "Scene",
    "announce",
    "narrate",
    "pack",
    "read",
    "scene_at",
    "shared_prefix",
    "storyboard",
    "survey",
]
