"""x"""
from alcaide.instruments.guard.layer import Layer, as_written
from alcaide.instruments.guard.model import Passage
from alcaide.instruments.guard.policy import Limits
def readings(passage: Passage, limits: Limits) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """x"""
    return (as_written(passage),), ()
