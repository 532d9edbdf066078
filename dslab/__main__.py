"""`python -m dslab COMMAND`: every command of the course; `python -m dslab --help` lists them."""

import sys

if sys.version_info < (3, 11):  # said in words that an old Python can still read
    sys.exit(
        "dslab needs Python 3.11 or newer and this is Python %d.%d: "
        "call it with a newer one, for example `python3.12 -m dslab lab`" % sys.version_info[:2]
    )

from dslab.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
