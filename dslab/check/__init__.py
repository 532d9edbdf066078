"""Judges runs: properties of traces, random faults, answers of students."""
