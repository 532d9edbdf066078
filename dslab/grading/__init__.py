"""Grading with nbval: merge answers into the instructor copy, run it, report.

The verdict on a check is always pytest's on an nbval item. Student code runs in an ordinary kernel of the
same user here, so grade only hand-ins that you would also run by hand.
"""
