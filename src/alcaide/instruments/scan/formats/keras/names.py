"""The names that Keras gives to what its models may hold: `lists/keras.json`.

`tools/scan/build_keras_names.py` makes the list again.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

from alcaide.instruments.scan.lists import read_list


class Names(NamedTuple):
    """What a configuration may name."""

    classes: frozenset[str]
    functions: frozenset[str]
    activations: frozenset[str]
    tensorflow_functions: frozenset[str]


@lru_cache(maxsize=1)
def names() -> Names:
    """The list, read once."""
    read = json.loads(read_list("keras.json"))
    return Names(
        frozenset(read["classes"]),
        frozenset(read["functions"]) | frozenset(read["activations"]),
        frozenset(read["activations"]),
        frozenset(read["tensorflow_functions"]),
    )


KERAS_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "tensorflow_core.keras")

FRIENDS = {
    "keras_hub": "keras_hub",
    "keras_nlp": "keras_nlp",
    "keras_cv": "keras_cv",
    "keras_rs": "keras_rs",
    "tensorflow_addons": "Addons",
    "tensorflow_models": "Text",
}
"""Libraries by Keras's own makers: module, and the package name under which they register their classes."""

MARKS = frozenset(
    {
        *(
            "__keras_tensor__",
            "__tensor__",
            "__numpy__",
            "__bytes__",
            "__ellipsis__",
            "__slice__",
            "__tuple__",
            "__set__",
        ),
        *(
            "__dict__",
            "__complex__",
            "TensorShape",
            "TypeSpec",
            "CompositeTensor",
            "DType",
            "slice",
            "TensorSpec",
        ),
    }
)
"""Class names by which a configuration says plain values."""

SPECIFICATIONS = frozenset(
    {
        "TensorSpec",
        "RaggedTensorSpec",
        "SparseTensorSpec",
        "VariableSpec",
        "NoneTensorSpec",
        "IndexedSlicesSpec",
    }
)


def is_keras(module: str) -> bool:
    """Whether a module belongs to Keras."""
    return any(module == own or module.startswith(own + ".") for own in KERAS_MODULES)


def is_friend(module: str, registered: str) -> bool:
    """Whether a class belongs to a library by Keras's makers."""
    for own, package in FRIENDS.items():
        if module == own or module.startswith(own + "."):
            return True
        if not module and registered.startswith(package + ">"):
            return True
    return False
