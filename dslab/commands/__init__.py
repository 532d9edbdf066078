"""The commands of `python -m dslab`, one module each; standard library only: they run before the set-up."""
