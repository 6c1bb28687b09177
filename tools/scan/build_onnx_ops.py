"""Writes the names of ONNX's own operators: `onnx_ops.txt` of the scan's lists, one `domain:name` a line.

    python tools/scan/build_onnx_ops.py src/alcaide/instruments/scan/lists/onnx_ops.txt

Run it with a Python that has onnx. Operators of every version of every domain are listed, and the experimental ones
that early versions had: real models still name them.
"""

from __future__ import annotations

import sys
from pathlib import Path

EARLY = (
    "ATen Affine ConstantFill Crop DynamicSlice GRUUnit GivenTensorFill ImageScaler ParametricSoftplus Scale "
    "ScaledTanh SimplifiedLayerNormalization SkipLayerNormalization LayerNormalization FusedConv FusedGemm "
    "Caffe2ConvTranspose"
)
"""Experimental operators of ONNX 1.0 to 1.5, and those that ONNX Runtime's optimiser writes into the main domain."""


def main(target: str) -> None:
    """Write the list."""
    import onnx
    from onnx import defs

    names = {f"{schema.domain}:{schema.name}" for schema in defs.get_all_schemas_with_history()}
    names |= {f":{name}" for name in EARLY.split()}
    text = f"# ONNX {onnx.__version__}\n" + "".join(f"{name}\n" for name in sorted(names))
    Path(target).write_text(text, encoding="utf-8")
    print(len(names), "operators of", sorted({name.split(":")[0] for name in names}))


if __name__ == "__main__":
    main(sys.argv[1])
