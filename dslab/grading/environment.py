"""One environment for every notebook that is built or graded, whoever runs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What an interpreter needs to start on Linux, macOS and Windows; everything else could change an output.
_KEPT = (
    "PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "COMSPEC", "APPDATA", "LOCALAPPDATA",
    "TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH",
)  # fmt: skip

# A PNG without the library's version in it, an SVG whose ids do not change from run to run.
_MATPLOTLIB = "svg.hashsalt: dslab\n"
_KERNEL_CONFIG = (
    'c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Software": None}}\n'
)


def clean_environment(folder: Path, *, grading: bool) -> dict[str, str]:
    """Environment variables for a kernel, or for the pytest that starts one.

    Args:
        folder: private scratch folder; matplotlib's and IPython's settings are written there, so that the
            user's own do not reach a notebook.
        grading: set DSLAB_GRADING, with which a check of an unanswered exercise fails instead of saying so.

    Returns:
        The complete environment, not additions to the present one.
    """
    profile = folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text("c = get_config()\n" + _KERNEL_CONFIG, encoding="utf-8")
    (folder / "matplotlibrc").write_text(_MATPLOTLIB, encoding="utf-8")
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONHASHSEED": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    return environment | ({"DSLAB_GRADING": "1"} if grading else {})


def kernel_transport(folder: Path, name: str) -> dict[str, str]:
    """KernelManager arguments for private channels: with TCP, kernels that start together race for ports."""
    arguments = {"connection_file": str(folder / f"{name}.json")}
    return arguments if sys.platform == "win32" else arguments | {"transport": "ipc"}
