"""Start Ringside from a checkout; the first start makes its environment in .venv.

    python3 ringside.py             open the window
    python3 ringside.py test ...    run the tests, without a screen (what follows goes to pytest)
    python3 ringside.py ARGS ...    the command line; see: python3 ringside.py --help

This file is written for every Python, so that one too old is told so in words. The rest is in app/launcher.
"""

import os
import sys

NEEDED = (3, 11)


def main():
    if sys.version_info < NEEDED:
        sys.stderr.write(
            "ringside: Ringside needs Python %d.%d or newer, and this is Python %d.%d (%s). "
            "Install a newer one from https://www.python.org/downloads/ and start with it.\n"
            % (NEEDED + tuple(sys.version_info[:2]) + (sys.executable,))
        )
        return 2
    root = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, root)
    from app.launcher.start import start

    return start(root, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
