"""The errors that a caller may want to tell apart. The text of each is a sentence an analyst can act on."""

from __future__ import annotations

import errno


class MorpholawError(Exception):
    """Base of all errors that Morpholaw raises on purpose.

    The message is one plain sentence that says what is wrong, in which file or field, and what to do. The command
    prints it and exits with status 2; the widgets show it beside the field.
    """


class InputError(MorpholawError, ValueError):
    """Input that cannot be used: a file, a setting or a combination of them. Trying again does not help."""


class SettingError(InputError):
    """A setting of a step that is out of range, of another type or unknown.

    Attributes
    ----------
    setting : str
        Its name; "" where the sentence is about several settings together.
    """

    def __init__(self, sentence: str, setting: str = "") -> None:
        super().__init__(sentence)
        self.setting = setting


class StudyLockedError(MorpholawError):
    """Another process is working on the study. Trying again later helps."""


class StudyGoneError(MorpholawError):
    """The study's folder was moved or deleted."""


class NoSpaceError(MorpholawError):
    """A file cannot be written because the disk is full or the quota is used up."""


class StepFailedError(MorpholawError):
    """A step that runs in a process of its own crashed, was killed or ran out of memory."""


def reason(error: BaseException) -> str:
    """Return a library's message as the tail of a sentence: its first line, or the kind of error."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        InputError,
        StudyLockedError,
        StudyGoneError,
        NoSpaceError,
        StepFailedError,
        InterruptedError,
    )
}
"""The errors that cross from one process to another, by name."""


def kind_of(error: BaseException) -> str:
    """Return the name of an error's kind, for :func:`error_of_kind` in another process."""
    return next((name for name, kind in _KINDS.items() if isinstance(error, kind)), "StepFailedError")


def error_of_kind(name: str, sentence: str) -> Exception:
    """Return an error of the kind that :func:`kind_of` named; a failed step where the name is unknown."""
    return _KINDS.get(name, StepFailedError)(sentence)


def file_error(sentence: str, error: OSError) -> MorpholawError:
    """Return the error for a file that cannot be written or read.

    Parameters
    ----------
    sentence : str
        What failed and where, without its end: "The report cannot be written to out.html".
    error : OSError
        What the operating system says; its words become the end of the sentence.

    Returns
    -------
    MorpholawError
        A NoSpaceError where the disk is full or the quota used up, else an InputError.
    """
    kind = NoSpaceError if error.errno in (errno.ENOSPC, errno.EDQUOT) else InputError
    return kind(f"{sentence}: {error.strerror or error}.")
