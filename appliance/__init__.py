"""DreamStack Appliance: a private AI box whose answers live on every screen of a building.

One box holds a facility's data (PgFlex), reads questions with a local model, and streams answers and
data changes as *signals* to every screen. The way is one-way: a question or a changed row enters at the
front, and frames leave for the screens at the end.

Run it with ``appliance up``; ask from a shell with ``appliance ask "How many beds are free?"``.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("dreamstack-appliance")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.1.0"

__all__ = ["__version__"]
