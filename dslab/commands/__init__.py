"""The commands of `python -m dslab`, one module each; standard library only, since they run before the set-up."""
