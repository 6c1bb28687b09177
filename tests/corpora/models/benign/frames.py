"""pandas and pyarrow: tables pickled, and the columnar formats."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

from tests.corpora.models.benign.recipe import add
from tests.corpora.models.benign.writing import pickled

_FRAME = pd.DataFrame(
    {
        "site": ["north", "south", None],
        "count": [3, 4, 5],
        "share": [0.5, np.nan, 0.25],
        "kind": pd.Categorical(["a", "b", "a"]),
        "seen": pd.to_datetime(["2024-01-01", "2024-02-29", None]),
        "zone": pd.to_datetime(["2024-01-01", "2024-02-29", "2024-03-01"]).tz_localize("Europe/Berlin"),
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
    }
)
_PLAIN = _FRAME[["site", "count", "share"]]
_KINDS = {
    "frame": _FRAME,
    "plain": _PLAIN,
    "series": _FRAME["share"],
    "categorical": _FRAME["kind"],
    "string-dtype": pd.Series(["a", "b", None], dtype="string"),
    "timestamps": [
        pd.Timestamp("2024-01-01"),
        pd.Timestamp("2024-01-01", tz="UTC"),
        pd.Timedelta("1h"),
        pd.NaT,
    ],
    "timezones": _FRAME["zone"],
    "periods": pd.period_range("2024-01", periods=3, freq="M"),
    "intervals": pd.cut([1, 5, 9], 3),
    "multi-index": _FRAME.set_index(["site", "count"])[["share"]],
    "range-index": pd.RangeIndex(4),
    "datetime-index": pd.date_range("2024-01-01", periods=3),
    "business-days": pd.date_range("2024-01-01", periods=3, freq="B"),
    "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
    "groups": {"by-kind": _FRAME.groupby("kind", observed=True)["count"].sum(), "columns": list(_FRAME)},
    "objects": pd.Series([{"a": 1}, [1, 2], "x"]),
    "arrow-backed": _PLAIN.convert_dtypes(dtype_backend="pyarrow"),
}
for _name, _value in _KINDS.items():
    add("pandas", f"{_name}.pkl", f"pandas: {_name}, pickled", pickled(_value))
for _suffix in ("gz", "bz2", "xz", "zip"):
    add(
        "pandas",
        f"frame.pkl.{_suffix}",
        f"a frame by to_pickle, {_suffix}",
        lambda path: _FRAME.to_pickle(path),
    )
for _protocol in (2, 3, 5):
    add(
        "pandas",
        f"frame-protocol-{_protocol}.pickle",
        f"a frame, protocol {_protocol}",
        lambda path, p=_protocol: _FRAME.to_pickle(path, protocol=p),
    )
add("pandas", "frame.csv", "a frame as CSV", lambda path: _FRAME.to_csv(path))
add(
    "pandas",
    "frame.jsonl",
    "a frame as JSON lines",
    lambda path: _PLAIN.to_json(path, orient="records", lines=True),
)
add("pandas", "frame.parquet", "a frame as Parquet", lambda path: _FRAME.to_parquet(path))

_ARROW = pa.Table.from_pandas(_PLAIN)
for _codec in ("snappy", "zstd", "gzip"):
    add(
        "pyarrow",
        f"table-{_codec}.parquet",
        f"Parquet, {_codec}",
        lambda path, c=_codec: pa.parquet.write_table(_ARROW, path, compression=c),
    )
add("pyarrow", "table.feather", "Feather", lambda path: pa.feather.write_feather(_ARROW, str(path)))
add("pyarrow", "table.arrow", "an Arrow file", lambda path: _arrow(path))
add("pyarrow", "table.pkl", "an Arrow table, pickled", pickled(_ARROW))


def _arrow(path):
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, _ARROW.schema) as writer:
        writer.write_table(_ARROW)
