"""DreamStack Appliance: a private AI box whose answers live on every screen of a building.

One box holds a facility's data (PgFlex), reads questions with a local model, and streams answers and
data changes as *signals* to every screen. The way is one-way: a question or a changed row enters at the
front, and frames leave for the screens at the end.

Run it with ``appliance up``; ask from a shell with ``appliance ask "How many beds are free?"``.
"""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """The version, looked up when it is asked for: a health check that runs every few seconds does without."""
    from importlib.metadata import PackageNotFoundError, version

    if name != "__version__":
        raise AttributeError(name)
    try:
        return version("dreamstack-appliance")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0.1.0"
