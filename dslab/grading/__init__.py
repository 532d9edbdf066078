"""Grading with nbval: merge answers into the instructor copy, run it, report.

The verdict on a check is always pytest's on an nbval item. A student's code runs in a process of its own, walled in
by the sandbox; only plain values come out of it.
"""

import sys

# jsonschema compiles a grammar for one format of address as it is imported: 3 CPU seconds in each of our
# processes, and no notebook's schema uses it. Without the package jsonschema leaves that format out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
