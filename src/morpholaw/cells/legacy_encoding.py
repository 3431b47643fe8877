"""The encoding of text that is not Unicode, judged by how its words look in each candidate.

Old Macs, DOS and Windows each gave the bytes above 127 to other letters. Read with the wrong table, letters become
symbols or capitals in the middle of words. charset-normalizer, made for longer texts, decodes 8 of the 18 short tables
of the tests, this module all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_LATIN = ("cp1252", "mac_roman", "cp850", "cp1250")
_OTHERS = ("cp1251", "koi8_r", "cp866", "gb18030", "cp932")
_WORD = re.compile(rb"[^\s,;|\t\"']*[\x80-\xff][^\s,;|\t\"']*")
_MOST_WORDS = 2_000
_WINDOWS = 0.6
"""Advantage in score of the encoding of Western Windows, by far the most frequent one."""
_COMMON = frozenset("äöüßéèêàâáíóúñçåæøãôîÄÖÜÉÅØ")
_RARE = frozenset("ëìïòõùûÿÈÊÀÂÁÍÓÚÑÇÆ")
_SIGNS = frozenset("²³±×·–—’‘“”€§£´")
"""Signs that stand in tables, mostly beside numbers and units."""


def legacy_encoding(data: bytes) -> str:
    """Return the encoding in which the words of ``data`` look most like words; cp1252 if several do.

    Parameters
    ----------
    data : bytes
        Text with bytes above 127 that is not UTF-8.

    Returns
    -------
    str
        Name of a Python codec, which may still fail on other parts of the text.
    """
    words = Counter(_WORD.findall(data)[: 10 * _MOST_WORDS]).most_common(_MOST_WORDS)
    best, highest = "cp1252", float("-inf")
    for encoding in (*_LATIN, *_OTHERS):
        try:
            decoded = [word.decode(encoding) for word, _ in words]
        except UnicodeDecodeError:
            continue
        score = sum(map(_score, decoded)) / max(1, sum(map(_count, decoded)))
        score += _WINDOWS if encoding == "cp1252" else 0
        if score > highest:
            best, highest = encoding, score
    return best


def _count(word: str) -> int:
    return sum(character > "\x7f" for character in word)


def _score(word: str) -> float:
    """Return how much a word looks like one: about 2 per character above 127 that fits, negative if it does not."""
    total = 0.0
    foreign = _count(word)
    plain = sum(character.isascii() and character.isalpha() for character in word)
    for i, character in enumerate(word):
        if character > "\x7f":
            beside = word[i - 1 : i] if i else "", word[i + 1 : i + 2]
            total += _fit(character, beside, plain, foreign)
    return total


def _fit(character: str, beside: tuple[str, str], plain: int, foreign: int) -> float:
    """Return how well a character fits the ones before and after it, in a word with so many letters of each kind."""
    before, after = beside
    shouted = before.isupper() and not after.islower()
    if unicodedata.category(character) in ("Cc", "Co", "Cn") or (
        character.isupper() and before.isalpha() and not shouted
    ):
        return -3
    if character in "µμ":
        return 3 if after in ("m", "s", "g", "l", "M") and not before.isalpha() else -2
    if character == "°":
        return 3 if not before.isalpha() and after in ("", "C", ")", "]", "/") else -2
    if character in _SIGNS:
        return -3 if before.isalpha() and after.isalpha() else 1
    if "\u0400" <= character <= "\u04ff":
        return 2 if plain == 0 and foreign > 1 else -2
    if "\u3040" <= character <= "\u30ff":
        return 4 if plain == 0 else 1
    if "\u3400" <= character <= "\u9fff":
        return 2.5 if plain == 0 else 0.5
    if not character.isalpha():
        return -3 if before.isalpha() or after.isalpha() else 0.5
    if foreign > max(plain, 1):
        return -2
    return 2 if character in _COMMON else 1.5 if character in _RARE else 1
