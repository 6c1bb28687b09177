"""What an attack is, and the list of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Acts = Literal["load", "use", "none"]
Level = Literal["critical", "high", "medium"]

# A file's bytes, or the files of a folder by their relative names.
Made = bytes | dict[str, bytes]

Maker = Callable[[], Made]

_LEVELS: dict[Acts, Level] = {"load": "critical", "use": "high", "none": "medium"}


@dataclass(frozen=True, slots=True)
class Attack:
    """One technique.

    `acts` says when it does its harm: on `load`, on `use`, or, for what breaks or bends a format without running
    anything by itself, `none`. `proof` names the loader in `naive` that shows the marker being set, `needs` the
    libraries which that takes beside the standard one; where there is no such loader `unproved` says why.
    """

    id: str
    acts: Acts
    family: str
    says: str
    suffix: str
    make: Maker
    proof: str = ""
    needs: tuple[str, ...] = ()
    unproved: str = ""

    @property
    def level(self) -> Level:
        """The least level at which a scanner has to report it."""
        return _LEVELS[self.acts]

    def write(self, folder: Path) -> Path:
        """Makes the artifact under `folder`, under a name that tells nothing but its format."""
        made = self.make()
        path = folder / f"{self.id}{self.suffix}"
        if isinstance(made, bytes):
            path.write_bytes(made)
            return path
        for name, content in made.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return path


def always(made: Made) -> Maker:
    """The maker of what is made already, for tables of attacks."""
    return lambda: made


_REGISTERED: dict[str, Attack] = {}


def add(attack: Attack) -> None:
    """Registers one attack; two of a name would hide each other, so that is refused."""
    if attack.id in _REGISTERED:
        raise ValueError(f"two attacks are called `{attack.id}`; rename one")
    _REGISTERED[attack.id] = attack


def attack(
    id: str,
    *,
    acts: Acts,
    family: str,
    says: str,
    suffix: str = "",
    proof: str = "",
    needs: tuple[str, ...] = (),
    unproved: str = "",
) -> Callable[[Maker], Maker]:
    """Registers the function below it as the maker of one attack."""

    def register(make: Maker) -> Maker:
        add(Attack(id, acts, family, says, suffix, make, proof, needs, unproved))
        return make

    return register


def registered() -> list[Attack]:
    """What has been registered so far."""
    return list(_REGISTERED.values())
