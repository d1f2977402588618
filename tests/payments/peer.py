"""Runs localstripe on loopback, keeping its state in memory.

Usage: peer.py PORT
"""

import sys

from aiohttp import web
from localstripe import resources
from localstripe.server import app

# It would write its state to a fixed file that all runs of this machine share.
resources.Store.dump_to_disk = lambda self: None

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
