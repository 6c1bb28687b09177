"""Which TensorFlow operations do more than compute, and what each of them does.

Every other operation is allowed only if TensorFlow registers it (`lists/tensorflow_ops.txt`, see
`tools/scan/build_tensorflow_ops.py`) or one of the libraries below does; what is in none of them comes from a library
that whoever loads the model would have to load first, and cannot be decided here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from alcaide.instruments.scan.lists import read_list
from alcaide.instruments.scan.patterns import regex

EVERY = -1
"""In the place of an input's number: any of them."""

SOUNDS_ACTING = regex(
    r"shell|exec(?!ut(?:or|ion))|system|subprocess|command|spawn|popen|python|pyfunc|eval(?!uat)|script|download|"
    r"upload|socket|http|curl|wget",
    re.IGNORECASE,
)
"""Names that tell what an unknown operation is for. They make what cannot be decided worse, never anything better."""


class Acting(NamedTuple):
    """An operation that does more than compute."""

    kind: str
    """`read`, `write`, `network`, `python` or `native`."""
    does: str
    """What it does, to follow "using it": `reads the file`."""
    path: int | str | None = None
    """Which input (by place) or attribute (by name) says which file or address."""
    ordinary: bool = False
    """Whether ordinary models have it, so that only an odd path makes it a finding."""


def _each(names: str, acting: Acting) -> dict[str, Acting]:
    return dict.fromkeys(names.split(), acting)


ACTING: dict[str, Acting] = {
    **_each("ReadFile", Acting("read", "reads the file", 0)),
    **_each(
        "MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset",
        Acting("read", "lists the files", 0),
    ),
    **_each(
        "WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader "
        "FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 LMDBReader",
        Acting("read", "reads files that are named to it"),
    ),
    **_each(
        "TextLineDataset FixedLengthRecordDataset FixedLengthRecordDatasetV2 TFRecordDataset TFRecordDatasetV2 "
        "CSVDataset CSVDatasetV2 ExperimentalCSVDataset LMDBDataset ExperimentalLMDBDataset LoadDataset "
        "SnapshotDatasetReader SnapshotNestedDatasetReader SnapshotChunkDataset ListSnapshotChunksDataset",
        Acting("read", "reads the data set", 0),
    ),
    **_each("SqlDataset ExperimentalSqlDataset", Acting("read", "queries the database", 1)),
    **_each("LoadAndRemapMatrix", Acting("read", "reads the checkpoint", 0)),
    **_each("GenerateVocabRemapping", Acting("read", "reads the vocabulary", 0, ordinary=True)),
    **_each("ImmutableConst", Acting("read", "maps the file into memory", "memory_region_name")),
    **_each(
        "InitializeTableFromTextFile InitializeTableFromTextFileV2",
        Acting("read", "reads the file", 1, ordinary=True),
    ),
    **_each(
        "Restore RestoreSlice RestoreV2 DTensorRestoreV2",
        Acting("read", "reads the checkpoint", 0, ordinary=True),
    ),
    **_each(
        "DecodeProtoV2 EncodeProto",
        Acting("read", "reads message types from the file", "descriptor_source", ordinary=True),
    ),
    **_each("WriteFile", Acting("write", "writes the file", 0)),
    **_each(
        "Save SaveSlices SaveV2 DistributedSave", Acting("write", "writes the checkpoint", 0, ordinary=True)
    ),
    **_each(
        "MergeV2Checkpoints",
        Acting("write", "moves checkpoint files to, and removes, what is at", EVERY, ordinary=True),
    ),
    **_each("ShardedFilename ShardedFilespec", Acting("write", "names the checkpoint", 0, ordinary=True)),
    **_each(
        "SaveDataset SaveDatasetV2 DatasetToTFRecord ExperimentalDatasetToTFRecord SnapshotDataset SnapshotDatasetV2",
        Acting("write", "writes a data set to", 1),
    ),
    **_each("CacheDataset CacheDatasetV2", Acting("write", "writes a cache to", 1, ordinary=True)),
    **_each("CreateSummaryFileWriter CreateSummaryDbWriter", Acting("write", "writes a log to", 1)),
    **_each("CalibrationStatisticsSaver", Acting("write", "writes the file", "output_file_path")),
    **_each("PrintV2", Acting("write", "prints to", "output_stream", ordinary=True)),
    **_each(
        "DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary DebugNumericSummaryV2",
        Acting("network", "sends what it computes to", "debug_urls"),
    ),
    **_each("DumpTensor", Acting("write", "writes what it computes to", "log_dir_path")),
    **_each(
        "PyFunc PyFuncStateless EagerPyFunc",
        Acting("python", "calls the Python function registered as", "token"),
    ),
    **_each(
        "RpcServer RpcServerStart RpcServerRegister RpcClient RpcCall",
        Acting("network", "opens connections to", 0),
    ),
    **_each("RemoteCall", Acting("network", "runs a function on the device", 0)),
    **_each(
        "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4",
        Acting("network", "reads data from the service at", 2),
    ),
    **_each("RegisterDataset RegisterDatasetV2", Acting("network", "sends a data set's definition to", 1)),
    **_each("FileSystemSetConfiguration", Acting("native", "sets up the file system", 0)),
    **_each("DatasetFromGraph", Acting("native", "runs a graph that is packed in a string")),
    **_each("XlaCustomCall XlaCustomCallV2", Acting("native", "calls the native function", "target_name")),
    **_each("TRTEngineOp", Acting("native", "runs a TensorRT engine")),
}

TEXT = frozenset(
    {
        *("CaseFoldUTF8", "ConstrainedSequence", "FastBertNormalize", "FastSentencepieceDetokenize"),
        *("FastSentencepieceTokenize", "FastWordpieceDetokenize", "FastWordpieceTokenizeWithOffsets"),
        *("FindSourceOffsets", "MaxSpanningTree", "MstSolver", "NgramsStringJoin", "NormalizeUTF8"),
        *("NormalizeUTF8WithOffsetsMap", "RegexSplitWithOffsets", "RougeL", "RoundRobinGenerateMasks"),
        *("RoundRobinTrim", "SentenceFragments", "SentenceFragmentsV2", "SentencepieceDetokenizeOp"),
        *("SentencepieceIdToStringOp", "SentencepieceOp", "SentencepieceStringToIdOp"),
        *("SentencepieceTokenizeOp", "SentencepieceTokenizeWithOffsetsOp", "SentencepieceVocabSizeOp"),
        *("SplitMergeFromLogitsTokenizeWithOffsets", "SplitMergeTokenizeWithOffsets"),
        *("TFText>BoiseOffsetConverter", "TFText>BoiseTagsToOffsets", "TFText>FastBertNormalize"),
        *("TFText>FastSentencepieceDetokenize", "TFText>FastSentencepieceTokenize"),
        *("TFText>FastWordpieceDetokenize", "TFText>FastWordpieceTokenizeWithOffsets"),
        *("TFText>NgramsStringJoin", "TFText>OffsetsToBoiseTags", "TFText>PhraseDetokenize"),
        *("TFText>PhraseTokenize", "TFText>RoundRobinGenerateMasks", "TFText>RoundRobinTrim"),
        *("TFText>StringNgrams", "TFText>UtfFromBinarized", "TFText>UtfToBinarized"),
        *("TFText>WhitespaceTokenizeWithOffsets", "TFText>WhitespaceTokenizeWithOffsetsV2"),
        *("TrimmedRaggedTensors", "TrimmerCombinations", "UnicodeScriptTokenizeWithOffsets"),
        *("WhitespaceTokenizeWithOffsets", "WhitespaceTokenizeWithOffsetsV2", "WordpieceTokenizeWithOffsets"),
    }
)
"""TensorFlow Text: tokenizers and what goes with them."""

FORESTS = frozenset(
    {
        *("SimpleMLCreateModelResource", "SimpleMLInferenceLeafIndexOpWithHandle", "SimpleMLInferenceOp"),
        *(
            "SimpleMLInferenceOpWithHandle",
            "SimpleMLLoadModelFromPath",
            "SimpleMLLoadModelFromPathWithHandle",
        ),
        *("SimpleMLShowModel", "YggdrasilCreateModelResource"),
    }
)
"""TensorFlow Decision Forests: inference, and loading of the forest from the assets beside the graph."""


@lru_cache(maxsize=1)
def computing() -> frozenset[str]:
    """Every operation that only computes."""
    text = read_list("tensorflow_ops.txt")
    names = {line for line in text.split("\n") if line and line[0] != "#"}
    return frozenset(names) | TEXT | FORESTS
