"""Writes the names of TensorFlow's operations that only compute: `tensorflow_ops.txt` of the scan's lists.

    python tools/scan/build_tensorflow_ops.py src/alcaide/instruments/scan/lists/tensorflow_ops.txt

Every operation that TensorFlow registers is listed, but those the scan judges by themselves because they reach a file,
the network, Python or a device (`ACTING` in `tensorflow_operations.py`). An operation of a version to come is
not listed until this is run with it, and until then is one that cannot be decided.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(target: str) -> None:
    """Write the list."""
    import tensorflow as tf
    from tensorflow.core.framework import op_def_pb2
    from tensorflow.python.client import pywrap_tf_session

    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
    from alcaide.instruments.scan.tensorflow_operations import ACTING

    every = op_def_pb2.OpList()
    buffer = pywrap_tf_session.TF_GetAllOpList()
    every.ParseFromString(pywrap_tf_session.TF_GetBuffer(buffer))
    names = sorted({operation.name for operation in every.op} - set(ACTING))
    unknown = sorted(set(ACTING) - {operation.name for operation in every.op})
    print(
        f"{len(names)} operations of TensorFlow {tf.__version__}; judged, and not in this version: {unknown}"
    )
    Path(target).write_text(
        f"# TensorFlow {tf.__version__}\n" + "".join(f"{name}\n" for name in names), encoding="utf-8"
    )


if __name__ == "__main__":
    main(sys.argv[1])
