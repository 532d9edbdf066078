"""Command-line arguments whose mistakes are answered in one line."""

from __future__ import annotations

import argparse
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """An argument parser that ends with status 2 and one line saying what is accepted."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments"):
            message += f"; `{self.prog} --help` lists what is accepted"
        self.exit(2, f"{self.prog}: {message}\n")
