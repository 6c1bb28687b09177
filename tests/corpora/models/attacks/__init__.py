"""Every attack technique this project knows, each a few lines that assemble one artifact from bytes.

The standard library alone is needed to make them: opcodes, archives and protocol buffers are put together by hand
(`opcodes`, `wire`), so that nothing here depends on what a library would refuse to write.
"""

from importlib import import_module

from tests.corpora.models.attacks.registry import Attack, registered

# One module a family of formats; the order is that of `all()`.
_MODULES = (
    "pickle_routes",
    "pickle_callables",
    "pickle_libraries",
    "pickle_streams",
    "keras_models",
    "graphs",
    "tensors",
    "repositories",
    "documents",
    "archives",
    "programs",
    "stores",
    "pickle_callables",
    "pickle_libraries",
    "pickle_streams",
    "keras_models",
    "graphs",
    "tensors",
    "repositories",
    "documents",
    "archives",
    "programs",
    "stores",
)

__all__ = ["Attack", "all", "one"]


def all() -> list[Attack]:  # noqa: A001 - `attacks.all()` says it best
    """Every attack, in the order of their definition, which is the same on every run."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}")
    return registered()


def one(id: str) -> Attack:
    """The attack of that identifier."""
    return next(attack for attack in all() if attack.id == id)
