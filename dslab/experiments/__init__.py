"""Experiments: one function of many seeds each, drawn against a paper's points."""
