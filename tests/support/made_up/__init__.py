"""Connectors that only tests have, for what the contract promises and no connector of ours needs yet.

They are found as ours are, in folders of the same names: to import this package puts them there.
"""

from pathlib import Path

from dropship.connectors import FOLDERS, marketplaces, suppliers, trackers

HOME = Path(__file__).parent
for package in (marketplaces, suppliers, trackers):
    folder = str(HOME / package.__name__.rpartition(".")[2])
    if folder not in package.__path__:
        package.__path__.append(folder)
CHANNELS = {
    path.stem.lstrip("_").replace("_", "-"): f"dropship.connectors.{folder}.{path.stem}"
    for folder in FOLDERS
    for path in sorted((HOME / folder).glob("*.py"))
}
"""Their channels, and the modules that they are imported as."""
