"""Connectors that only tests have, for capabilities of the contract that no connector of ours needs yet.

They are found as ours are, in folders with the same names. Importing this package makes them known.
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
"""Their channels, each with the module name under which it is imported."""
