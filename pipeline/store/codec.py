"""Records to bytes and back: canonical JSON for what is named, safetensors + zstd for arrays, never pickle.

A payload is `MAGIC | length of JSON (8 bytes) | JSON | zstd frame of safetensors`. Everything is
checked before it is believed: caps first, then the frame's declared size, then dtypes and shapes.
"""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import zstandard
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from pipeline.errors import StoreError

T = TypeVar("T")

MAGIC = b"CHDP1\n"
MAX_STORED_BYTES = 4 << 30
MAX_RAW_BYTES = 8 << 30
MAX_JSON_BYTES = 256 << 20
DTYPES = frozenset({"bool", "uint8", "int32", "int64", "float32", "float64"})
MAX_DIMENSIONS = 4
_HEADER = struct.Struct("<Q")
_ARRAY, _FLOAT = "$array", "$float"
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _damaged(why: str) -> StoreError:
    return StoreError(f"A stored result is damaged ({why}); it will be computed again.", code="E_STORE_DAMAGED")


def allowed(array: np.ndarray) -> bool:
    """Whether an array is of a type and shape that is stored."""
    return array.dtype.name in DTYPES and array.ndim <= MAX_DIMENSIONS


def mark(node: Any) -> Any:
    """JSON has no NaN: floats that are not finite are written as {"$float": word}."""
    if isinstance(node, float) and not math.isfinite(node):
        return {_FLOAT: "nan" if math.isnan(node) else ("inf" if node > 0 else "-inf")}
    if isinstance(node, dict):
        return {key: mark(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [mark(value) for value in node]
    return node


def unmark(node: Any) -> Any:
    """What `mark` was given."""
    if isinstance(node, dict):
        if node.keys() == {_FLOAT}:
            return _WORDS[node[_FLOAT]]
        return {key: unmark(value) for key, value in node.items()}
    if isinstance(node, list):
        return [unmark(value) for value in node]
    return node


def split(record: object) -> tuple[Any, dict[str, np.ndarray]]:
    """Plain tree with array references, and the arrays by reference."""
    arrays: dict[str, np.ndarray] = {}

    def set_aside(value: object) -> object:
        if isinstance(value, np.ndarray):
            if not allowed(value):
                raise TypeError(f"arrays of {value.dtype} with {value.ndim} dimensions are not stored")
            key = str(len(arrays))
            arrays[key] = np.ascontiguousarray(value)
            return {_ARRAY: key}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, Path):
            return str(value)
        raise TypeError(f"{type(value).__name__} is not stored")

    return msgspec.to_builtins(record, enc_hook=set_aside, str_keys=True), arrays


def join(kind: type[T], plain: Any, arrays: dict[str, np.ndarray]) -> T:
    """The record of a tree and its arrays; raises KeyError, TypeError or ValueError when they do not fit."""

    def fetch(wanted: type, node: Any) -> Any:
        return Path(node) if wanted is Path else arrays[node[_ARRAY]]

    return msgspec.convert(plain, kind, dec_hook=fetch)


def canonical(kind: type[T], record: T) -> T:
    """The record as it would come back from the store, without the bytes.

    Fresh and restored values take the same form (an int in a float field becomes a float), so that a
    resumed run reports the same bytes.
    """
    plain, arrays = split(record)
    return join(kind, plain, arrays)


def canonical_json(tree: Any) -> bytes:
    """Sorted, compact, strict JSON."""
    return json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def encode(record: object) -> bytes:
    """Bytes of a record; equal records give equal bytes."""
    plain, arrays = split(record)
    text = canonical_json(mark(plain))
    tensors = zstandard.ZstdCompressor(level=1).compress(save_tensors(arrays)) if arrays else b""
    return MAGIC + _HEADER.pack(len(text)) + text + tensors


def decode(kind: type[T], data: bytes) -> T:
    """The record of these bytes; raises StoreError E_STORE_DAMAGED for anything else."""
    start = len(MAGIC) + _HEADER.size
    if len(data) > MAX_STORED_BYTES or len(data) < start or not data.startswith(MAGIC):
        raise _damaged("not a payload")
    (length,) = _HEADER.unpack_from(data, len(MAGIC))
    if length > min(MAX_JSON_BYTES, len(data) - start):
        raise _damaged("cut short")
    try:
        plain = unmark(json.loads(data[start : start + length]))
        return join(kind, plain, _tensors(data[start + length :]))
    except (ValueError, KeyError, TypeError, SafetensorError, zstandard.ZstdError) as error:
        raise _damaged(type(error).__name__) from None


def _tensors(frame: bytes) -> dict[str, np.ndarray]:
    if not frame:
        return {}
    declared = zstandard.frame_content_size(frame)
    if not 0 <= declared <= MAX_RAW_BYTES:
        raise _damaged("declared size")
    arrays: dict[str, np.ndarray] = load_tensors(
        zstandard.ZstdDecompressor().decompress(frame, max_output_size=declared)
    )
    if not all(allowed(value) for value in arrays.values()):
        raise _damaged("array type")
    return arrays
