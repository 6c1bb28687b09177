"""NumPy, SciPy and joblib: arrays, sparse matrices, and containers of them."""

import joblib
import numpy as np
import scipy.interpolate
import scipy.sparse
import scipy.spatial
import scipy.stats

from tests.corpora.models.benign.recipe import add, recipe
from tests.corpora.models.benign.writing import pickled

_RNG = np.random.default_rng(7)
_TABLE = _RNG.normal(size=(12, 5)).round(4)
_RECORDS = np.array(
    [("north", 3, 0.5), ("south", 4, 0.25)], dtype=[("site", "U8"), ("count", "i4"), ("share", "f8")]
)
_OBJECTS = np.array([{"name": "a"}, [1, 2, 3], None, "text", 2.5], dtype=object)

_ARRAYS = {
    "float64": _TABLE,
    "float32-fortran": np.asfortranarray(_TABLE.astype("f4")),
    "float16": _TABLE.astype("f2"),
    "big-endian": _TABLE.astype(">f8"),
    "int64": np.arange(24).reshape(2, 3, 4),
    "uint8-image": _RNG.integers(0, 255, (8, 8, 3), dtype="u1"),
    "bool": _TABLE > 0,
    "complex": _TABLE + 1j * _TABLE,
    "text": np.array(["alpha", "beta", "gamma"]),
    "bytes": np.array([b"alpha", b"beta"]),
    "datetime": np.array(["2024-01-01", "2024-02-29"], dtype="datetime64[D]"),
    "records": _RECORDS,
    "empty": np.zeros((0, 3)),
    "scalar": np.float64(3.5),
}

for _name, _array in _ARRAYS.items():
    add("numpy", f"{_name}.npy", f"array: {_name}", lambda path, a=_array: np.save(path, a))

add(
    "numpy",
    "objects.npy",
    "array of Python objects, pickled inside",
    lambda path: np.save(path, _OBJECTS, allow_pickle=True),
)
add(
    "numpy",
    "several.npz",
    "three arrays",
    lambda path: np.savez(path, weights=_TABLE, bias=_TABLE[0], names=_RECORDS),
)
add(
    "numpy",
    "compressed.npz",
    "two arrays, deflated",
    lambda path: np.savez_compressed(path, x=_TABLE, y=_TABLE[:, 0]),
)
add(
    "numpy",
    "objects.npz",
    "an object array among plain ones",
    lambda path: np.savez(path, x=_TABLE, names=_OBJECTS),
)

for _protocol in range(6):
    add(
        "numpy",
        f"array-protocol-{_protocol}.pkl",
        f"an array pickled by protocol {_protocol}",
        pickled(_TABLE, _protocol),
    )
add("numpy", "records.pkl", "a structured array, pickled", pickled(_RECORDS))
add(
    "numpy",
    "scalars.pkl",
    "NumPy scalars and dtypes, pickled",
    pickled(
        [
            np.float32(1),
            np.int64(2),
            np.bool_(True),
            np.dtype("f4"),
            np.str_("x"),
            np.datetime64("2024-01-01"),
        ]
    ),
)
add(
    "numpy",
    "generator.pkl",
    "random generators with their states, pickled",
    pickled([np.random.default_rng(3), np.random.RandomState(3)]),
)
add("numpy", "masked.pkl", "a masked array, pickled", pickled(np.ma.masked_less(_TABLE, 0)))
add("numpy", "matrix-poly.pkl", "a polynomial, pickled", pickled(np.polynomial.Polynomial([1, 2, 3])))

_SPARSE = scipy.sparse.random(20, 10, 0.2, random_state=1)
for _format in ("csr", "csc", "coo", "bsr", "dia", "lil", "dok"):
    add("scipy", f"matrix-{_format}.pkl", f"a {_format} matrix, pickled", pickled(_SPARSE.asformat(_format)))
for _format in ("csr", "csc", "coo"):
    add(
        "scipy",
        f"saved-{_format}.npz",
        f"a {_format} matrix, by save_npz",
        lambda path, f=_format: scipy.sparse.save_npz(path, _SPARSE.asformat(f)),
    )
add(
    "scipy",
    "csr-array.pkl",
    "a csr array (the newer class), pickled",
    pickled(scipy.sparse.csr_array(_SPARSE)),
)
add(
    "scipy",
    "interpolator.pkl",
    "a cubic spline and a linear interpolator, pickled",
    pickled(
        [
            scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4]),
            scipy.interpolate.interp1d([0, 1, 2], [0, 1, 4]),
        ]
    ),
)
add("scipy", "kd-tree.pkl", "a k-d tree, pickled", pickled(scipy.spatial.cKDTree(_TABLE)))
add(
    "scipy",
    "frozen-distribution.pkl",
    "a frozen normal distribution, pickled",
    pickled(scipy.stats.norm(1, 2)),
)
add(
    "scipy",
    "rotation.pkl",
    "a rotation, pickled",
    pickled(scipy.spatial.transform.Rotation.from_euler("z", 0.5)),
)

_BUNDLE = {"weights": _TABLE, "labels": ["a", "b"], "settings": {"alpha": 0.1, "steps": (1, 2)}}
for _compression in (0, 3, ("zlib", 9), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3), ("lz4", 3)):
    _label = _compression[0] if isinstance(_compression, tuple) else f"level-{_compression}"
    add(
        "joblib",
        f"bundle-{_label}.joblib",
        f"arrays and settings, compression {_label}",
        lambda path, c=_compression: joblib.dump(_BUNDLE, path, compress=c),
    )


@recipe("joblib", "memory-mapped.joblib", "an array aligned for memory mapping")
def _(path):
    joblib.dump([_TABLE, _TABLE.T, _OBJECTS], path)
