"""How a benign artifact is asked for: a function that writes it with its library, and a sentence about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """One artifact to make. `name` is a file's or a folder's name; `make` is handed the path to write to."""

    library: str
    name: str
    says: str
    make: Callable[[Path], object]

    @property
    def path(self) -> str:
        """Where it lies in the archive."""
        return f"{self.library}/{self.name}"


_RECIPES: list[Recipe] = []


def recipe(
    library: str, name: str, says: str
) -> Callable[[Callable[[Path], object]], Callable[[Path], object]]:
    """Registers the function below it as the maker of one artifact."""

    def register(make: Callable[[Path], object]) -> Callable[[Path], object]:
        add(library, name, says, make)
        return make

    return register


def add(library: str, name: str, says: str, make: Callable[[Path], object]) -> None:
    """Registers a maker that has no function of its own, in a loop over kinds of objects."""
    _RECIPES.append(Recipe(library, name, says, make))


def recipes() -> list[Recipe]:
    """What has been registered so far."""
    return list(_RECIPES)
