"""Small changes to files: of bytes, of a JSON tree, of the cells of a table."""

from __future__ import annotations

import hashlib
import json
import random
import re
from pathlib import Path
from typing import Any

ODD = [None, True, -1, 0, 2, 1e308, -1e308, 10**12, 2**63, 10**30, "", "nan", "../../outside", "/etc/passwd", "z9999",
       "x" * 5000, [], {}, [[]], {"a": {}}, [None], [1, "2"], "<script>alert(1)</script>"]  # fmt: skip
WORDS = [
    "nan",
    "inf",
    "-inf",
    "-1",
    "",
    "1e30",
    "99999999999999999999",
    "0.5",
    "x",
    "'",
    '"',
    "1,2",
    "\0",
    "é",
]
NUMBERS = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\x01\0\0\0",
    b"\xff" * 8,
    b"\0" * 8,
]


def mutate(path: Path, rng: random.Random) -> None:
    """Change the file at ``path`` in a way that suits it, one to four times."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = path.read_bytes()
        is_json = path.suffix == ".json" or path.name in (".zarray", ".zattrs", ".zgroup")
        if is_json and rng.random() < 0.8:
            data = _json(data, rng)
        elif path.suffix in (".csv", ".txt", ".xml") and rng.random() < 0.7:
            data = _text(data, rng)
        else:
            data = _bytes(data, rng)
        path.write_bytes(data)


def _json(data: bytes, rng: random.Random) -> bytes:
    try:
        tree = json.loads(data)
    except ValueError:
        return _bytes(data, rng)
    places: list[tuple[Any, Any]] = []
    _walk(tree, places)
    if not places:
        return data
    # names high in the tree matter most: choose them as often as all the others
    holder, key = rng.choice(places if rng.random() < 0.5 else places[: 1 + len(places) // 8])
    kind = rng.randrange(4)
    if kind == 0 and isinstance(holder, dict):
        del holder[key]
    elif kind == 1 and isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
        holder[key] = rng.choice((-holder[key], holder[key] * 10**9, holder[key] + 0.5, 0))
    else:
        holder[key] = rng.choice(ODD)
    return json.dumps(tree).encode()


def _walk(node: Any, places: list[tuple[Any, Any]]) -> None:
    level = [node]
    while level:
        following = []
        for one in level:
            pairs = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
            for key, value in pairs:
                places.append((one, key))
                following.append(value)
        level = following


def _text(data: bytes, rng: random.Random) -> bytes:
    lines = data.decode("utf-8", "replace").splitlines(keepends=True)
    if not lines:
        return data
    kind, at = rng.randrange(6), rng.randrange(len(lines))
    if kind == 0:
        lines[at:at] = [lines[at]] * rng.choice((1, 3))
    elif kind == 1:
        rng.shuffle(lines)
    elif kind == 2:
        del lines[at]
    elif kind == 3:
        words = re.split(r"([,\s\"=]+)", lines[at])
        words[rng.randrange(len(words))] = rng.choice(WORDS)
        lines[at] = "".join(words)
    elif kind == 4:
        lines[at] = re.sub(r"-?\d+(\.\d+)?", lambda _: rng.choice(WORDS), lines[at], count=1)
    else:
        lines[0] = re.sub(
            r"\w+",
            lambda m: m[0] if rng.random() < 0.7 else rng.choice(("id", "t", "x", "T", "label")),
            lines[0],
        )
    return "".join(lines).encode()


def _bytes(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return bytes(rng.randrange(256) for _ in range(9))
    changed = bytearray(data)
    head = rng.random() < 0.6  # headers matter more than pixels
    at = rng.randrange(min(len(data), 512) if head else len(data))
    kind = rng.randrange(7)
    if kind == 0:
        changed[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        number = rng.choice(NUMBERS)
        changed[at : at + len(number)] = number
    elif kind == 2:
        del changed[at:]
    elif kind == 3:
        changed[at:at] = changed[at : at + rng.choice((1, 4, 300))]
    elif kind == 4:
        del changed[at : at + rng.choice((1, 2, 8, 100))]
    elif kind == 5:
        changed[at : at + 64] = bytes(64)
    else:
        changed[at] = rng.randrange(256)
    return bytes(changed)


def rehash(folder: Path) -> None:
    """Give changed weights of a bundle their right name and hash, so that more than the hash is looked at."""
    description = folder / "model.json"
    weights = next(folder.glob("weights-*.safetensors"), None)
    if weights is None:
        return
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    named = weights.rename(folder / f"weights-{digest[:16]}.safetensors")
    try:
        values = json.loads(description.read_bytes())
        values["weights"], values["sha256"] = named.name, digest
    except (ValueError, TypeError):
        return
    description.write_text(json.dumps(values))
